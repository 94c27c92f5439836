"""L09: how many epochs sigmoid, tanh and ReLU units take to separate two parabolas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import integer, number
from netwise.parts.activations import Activation, ReLU, Sigmoid, Tanh
from netwise.parts.initializers import Glorot, Normal
from netwise.report.pictures.drawing import COLOURS, GREY, figure, svg, use_log_scale

POINTS = 1000  # of each parabola
UNITS, BATCH = 2, 16
ACTIVATIONS: Mapping[str, Activation] = {"sigmoid": Sigmoid(), "tanh": Tanh(), "ReLU": ReLU()}
# Slopes, from the values of the activations.
SLOPES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a * a,
    "ReLU": lambda a: (a > 0).float(),
}
NEVER = np.inf

Numbers = Mapping[str, float]
Epochs = NDArray[np.float64]


@dataclass(frozen=True)
class SeparationSettings(LabSettings):
    """What can be varied in L09.

    Args:
        seeds: initial weights. Default 200; the source has one.
        epochs: at most. Default 400; the source has 150.
        rate: the learning rate. Default 0.05.
    """

    seeds: int = integer(200, least=2, most=10_000, because="seeds are compared")
    epochs: int = integer(400, least=1, most=10_000, because="it counts passes")
    rate: float = number(0.05, above=0, because="a step of 0 changes nothing")


def parabolas() -> tuple[Tensor, Tensor]:
    """(points, classes): class 0 lies on x^2, class 1 on x^2 - 1/2, with x from -1 to 1."""
    x = torch.linspace(-1, 1, POINTS)
    points = torch.cat([torch.stack([x, x**2], 1), torch.stack([x, x**2 - 0.5], 1)])
    return points, torch.cat([torch.zeros(POINTS, 1), torch.ones(POINTS, 1)])


def initial_weights(seeds: int) -> list[Tensor]:
    """Weights and biases of networks 2-2-1, each with one more dimension for the seed: Glorot's
    normal weights in the hidden layer, N(0, 0.05^2) in the output, biases of 0."""
    hidden, output = [], []
    for seed in range(seeds):
        g = torch.Generator().manual_seed(seed)
        hidden.append(
            Glorot(shape="normal").sample((UNITS, 2), fan_in=2, fan_out=UNITS, generator=g)
        )
        output.append(Normal(std=0.05).sample((1, UNITS), fan_in=UNITS, fan_out=1, generator=g))
    w1, w2 = torch.stack(hidden).transpose(1, 2), torch.stack(output).transpose(1, 2)
    return [w1, torch.zeros(seeds, 1, UNITS), w2, torch.zeros(seeds, 1, 1)]


def hidden(parameters: list[Tensor], name: str, x: Tensor) -> Tensor:
    """Activations (networks, samples, units)."""
    return ACTIVATIONS[name](torch.baddbmm(parameters[1], x, parameters[0]))


def gradients(parameters: list[Tensor], name: str, x: Tensor, y: Tensor) -> list[Tensor]:
    """Of the mean cross-entropy over samples (networks, samples, 2) with classes (samples, 1):
    written out, since autograd takes ten times as long for networks so small."""
    a = hidden(parameters, name, x)
    error = torch.sigmoid(torch.baddbmm(parameters[3], a, parameters[2])).sub_(y).div_(len(y))
    below = (error * parameters[2].transpose(1, 2)).mul_(SLOPES[name](a))
    return [
        x.transpose(1, 2) @ below,
        below.sum(1, keepdim=True),
        a.transpose(1, 2) @ error,
        error.sum(1, keepdim=True),
    ]


def separate(name: str, settings: SeparationSettings) -> Epochs:
    """For each seed, the number of epochs until all points are right for the first time; infinite
    where they never are. Samples come in one order for all seeds."""
    x, y = parabolas()
    parameters = initial_weights(settings.seeds)
    order = torch.Generator().manual_seed(0)
    first = np.full(settings.seeds, NEVER)
    for epoch in range(1, settings.epochs + 1):
        for rows in torch.randperm(len(x), generator=order).split(BATCH):
            batch = x[rows].expand(settings.seeds, -1, -1)
            steps = gradients(parameters, name, batch, y[rows])
            torch._foreach_sub_(parameters, steps, alpha=settings.rate)
        a = hidden(parameters, name, x.expand(settings.seeds, -1, -1))
        z = torch.baddbmm(parameters[3], a, parameters[2])
        right = ((z > 0) == (y > 0)).flatten(1).all(1).numpy()
        first[right & (first == NEVER)] = epoch
        if np.isfinite(first).all():
            break
    return first


def paired_ratio(a: Epochs, b: Epochs) -> Epochs:
    """a / b for each seed where one of both succeeded: 0 where only a did, infinite where only b
    did."""
    some = np.isfinite(a) | np.isfinite(b)
    a, b = a[some], b[some]
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(b), 0.0, a / b)


def separation_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    slow = numbers["sigmoid / tanh, ratio of the medians"]
    ratio = numbers["ReLU / tanh, median of the paired ratios"]
    share = numbers["share of the pairs in which ReLU needs at most 75 % of tanh's epochs"]
    lost = numbers["tanh: separated, share"] - numbers["ReLU: separated, share"]
    return (
        Criterion(
            "sigmoid units need at least twice the epochs of tanh (ratio of the medians)",
            slow,
            slow >= 2,
        ),
        Criterion(
            "ReLU units need about 75 % of tanh's epochs: the median of the paired ratios lies "
            "from 0.65 to 0.85",
            ratio,
            0.65 <= ratio <= 0.85,
        ),
        Criterion(
            "ReLU needs at most 75 % of tanh's epochs in at least half of the pairs (share)",
            share,
            share >= 0.5,
            part_of_claim=False,
        ),
        Criterion(
            "ReLU separates the classes as often as tanh, up to 2 percentage points (difference "
            "of the shares)",
            lost,
            lost <= 0.02,
            part_of_claim=False,
        ),
    )


def finite(value: float, most: float = 1e9) -> float:
    """The value, or a number that a file can hold in the place of infinity."""
    return float(min(value, most))


def run_l09(settings: SeparationSettings) -> LabResult:
    epochs = {name: separate(name, settings) for name in ACTIVATIONS}
    numbers: dict[str, float] = {}
    for name, first in epochs.items():
        numbers[f"{name}: epochs, median"] = finite(float(np.median(first)))
        numbers[f"{name}: separated, share"] = float(np.isfinite(first).mean())
    ratios = paired_ratio(epochs["ReLU"], epochs["tanh"])
    numbers["sigmoid / tanh, ratio of the medians"] = (
        numbers["sigmoid: epochs, median"] / numbers["tanh: epochs, median"]
    )
    numbers["ReLU / tanh, median of the paired ratios"] = (
        finite(float(np.median(ratios))) if len(ratios) else 1.0
    )
    numbers["share of the pairs in which ReLU needs at most 75 % of tanh's epochs"] = (
        float((ratios <= 0.75).mean()) if len(ratios) else 0.0
    )
    seeds = tuple(range(settings.seeds))
    return LabResult(numbers, separation_criteria(numbers), _by_epoch(epochs), seeds=seeds)


def _by_epoch(epochs: Mapping[str, Epochs]) -> str:
    longest = max(float(first[np.isfinite(first)].max(initial=2)) for first in epochs.values())
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, first), colour in zip(epochs.items(), COLOURS, strict=False):
            done = np.sort(first[np.isfinite(first)])
            shares = np.arange(1, len(done) + 1) / len(first)
            axis.step(done, 100 * shares, where="post", color=colour, label=name)
        axis.axhline(50, color=GREY, linestyle="--", linewidth=1)
        axis.set_xlim(1, longest)
        use_log_scale(axis, "x")
        axis.set_ylim(0, 100)
        axis.set_title("Networks that have separated the classes")
        axis.set_xlabel("epochs")
        axis.set_ylabel("share of the seeds in %")
        axis.legend(loc="upper left")
        return svg(drawing, "Share of networks that are done by epoch")


L09 = Lab(
    "L09",
    lab_texts()["L09"],
    run_l09,
    SeparationSettings(),
    minutes=1,
    small={"seeds": 3, "epochs": 2},
)
