"""L48: is ReLU cheaper to compute, and does it matter?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.networks import MLP
from netwise.part import integer
from netwise.parts.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg

BATCH, INPUTS, CLASSES = 100, 784, 10
ELEMENTS = 300_000  # so many that the fixed cost of a call hardly counts
ACTIVATIONS: Mapping[str, Activation] = {"sigmoid": Sigmoid(), "tanh": Tanh(), "ReLU": ReLU()}
NONE = "no activation"

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class TimingSettings(LabSettings):
    """What can be varied in L48.

    Args:
        width: units of each of the three hidden layers. Default 300.
        rounds: in each, every activation is measured once. Default 30.
    """

    width: int = integer(300, least=1, most=10_000, because="a layer has units")
    rounds: int = integer(30, least=3, most=10_000, because="a median needs some")


def processor_seconds(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the processor that one call takes: other programs do not count."""
    start = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - start) / repeats


def passes_through(activation: Activation, z: Tensor) -> Callable[[], object]:
    """A forward and a backward pass through an activation alone."""
    function, gradient = activation.build(), torch.ones_like(z)
    at = z.clone().requires_grad_()
    return lambda: torch.autograd.grad(function(at), at, gradient)


def training_step(activation: Activation, width: int) -> Callable[[], object]:
    """A step of gradient descent of a network with three hidden layers."""
    torch.manual_seed(0)
    module = MLP((INPUTS, width, width, width, CLASSES), activation=activation).build()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
    x, y = torch.rand(BATCH, INPUTS), torch.arange(BATCH) % CLASSES

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()

    return step


def medians(
    works: Mapping[str, Callable[[], object]], rounds: int, repeats: int
) -> dict[str, float]:
    """The median seconds of each; all are measured in each round, so that a processor that slows
    down does so for all."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()  # the first call allocates memory
    for _ in range(rounds):
        for name, work in works.items():
            seconds[name].append(processor_seconds(work, repeats))
    return {name: median(values) for name, values in seconds.items()}


def timing_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    relu = numbers["ReLU: ns an element, forward and backward"]
    others = min(
        numbers[f"{name}: ns an element, forward and backward"] for name in ("sigmoid", "tanh")
    )
    share = max(numbers[f"{name}: share of a training step"] for name in ("sigmoid", "tanh"))
    return (
        Criterion(
            "ReLU takes less time than sigmoid and tanh (time of the faster one / ReLU's)",
            others / relu,
            others > relu,
        ),
        Criterion(
            "sigmoid or tanh takes more than a tenth of a training step, so that the choice "
            "matters (largest share)",
            share,
            share > 0.1,
            part_of_claim=False,
        ),
    )


def run_l48(settings: TimingSettings) -> LabResult:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        g = torch.Generator().manual_seed(0)
        alone, in_layer = (
            medians(
                {name: passes_through(each, z) for name, each in ACTIVATIONS.items()},
                settings.rounds,
                repeats,
            )
            for z, repeats in (
                (torch.randn(ELEMENTS, generator=g), 2),
                (torch.randn(BATCH, settings.width, generator=g), 20),
            )
        )
        arms = {NONE: Identity(), **ACTIVATIONS}
        steps = medians(
            {name: training_step(each, settings.width) for name, each in arms.items()},
            settings.rounds,
            repeats=2,
        )
    finally:
        torch.set_num_threads(threads)
    numbers: dict[str, float] = {}
    for name, seconds in alone.items():
        numbers[f"{name}: ns an element, forward and backward"] = 1e9 * seconds / ELEMENTS
    for name, seconds in steps.items():
        numbers[f"{name}: ms a training step"] = 1e3 * seconds
    for name, seconds in in_layer.items():
        # of three hidden layers
        numbers[f"{name}: share of a training step"] = 3 * seconds / steps[name]
    return LabResult(numbers, timing_criteria(numbers), _bars(numbers), seeds=(0,))


def _bars(numbers: Numbers) -> str:
    with figure(columns=2) as (drawing, axes):
        names = list(ACTIVATIONS)
        left, right = axes[0]
        times = [numbers[f"{name}: ns an element, forward and backward"] for name in names]
        left.bar(names, times, color=BLUE, width=0.6)
        left.set_title("The activation alone")
        left.set_ylabel("ns an element")
        shares = [100 * numbers[f"{name}: share of a training step"] for name in names]
        right.bar(names, shares, color=ORANGE, width=0.6)
        right.set_title("In a training step")
        right.set_ylabel("share of the step in %")
        return svg(drawing, "Time of activations")


L48 = Lab(
    "L48",
    lab_texts()["L48"],
    run_l48,
    TimingSettings(),
    minutes=0.1,
    small={"rounds": 3, "width": 20},
)
