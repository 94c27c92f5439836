"""L64: deeper against wider networks with equal numbers of parameters, on digits and on a function
that is composed of simple ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import torch
from torch import Tensor

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.stacked_mlp import Stack, losses, new_stack
from netwise.part import integer, number
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg

DEPTHS = (1, 2, 3, 4, 6)  # hidden layers
MNIST, PRODUCT = "MNIST", "sign of a product"
PARAMETERS = {MNIST: 50_000, PRODUCT: 2000}
FACTORS = 4  # of the product
BATCH = 50

Errors = Mapping[tuple[str, int], Sequence[float]]  # (task, depth) -> test error in %, by seed


@dataclass(frozen=True)
class DepthOrWidthSettings(LabSettings):
    """What can be varied in L64.

    Args:
        images: of MNIST, to train on. Default 5,000.
        samples: of the product, to train on. Default 4,000.
        steps: of Adam, with batches of 50. Default 1,200.
        rate: its learning rate at the start; it falls along a cosine. Default 0.003.
        seeds: networks of each depth. Default 10.
    """

    images: int = integer(5000, least=50, most=50_000, because="it fills a batch")
    samples: int = integer(4000, least=50, most=1_000_000, because="it fills a batch")
    steps: int = integer(1200, least=1, most=100_000, because="it counts updates")
    rate: float = number(0.003, above=0, because="a step of 0 changes nothing")
    seeds: int = integer(10, least=2, most=100, because="an interval needs two networks")


@dataclass(frozen=True)
class DepthTask:
    """Inputs and classes to train on, and to test on."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor


def digits_task(images: int) -> DepthTask:
    samples = data.Fewer(data=data.mnist(valid=0.0), rows=images).load()
    train, test = samples.train, samples.test
    flat = (train.x.flatten(1), test.x.flatten(1))
    return DepthTask(flat[0], torch.as_tensor(train.y), flat[1], torch.as_tensor(test.y))


def product_task(samples: int, tested: int = 4000) -> DepthTask:
    """Four numbers from -1 to 1; the class says whether their product is above 0. It is composed of
    products of two."""
    generator = torch.Generator().manual_seed(0)
    x = 2 * torch.rand((samples + tested, FACTORS), generator=generator) - 1
    y = (x.prod(1) > 0).long()
    return DepthTask(x[:samples], y[:samples], x[samples:], y[samples:])


def parameters(widths: Sequence[int]) -> int:
    """Weights and biases of a multilayer perceptron."""
    return sum((ins + 1) * outs for ins, outs in pairwise(widths))


def widths_of(inputs: int, outputs: int, depth: int, total: int) -> tuple[int, ...]:
    """Widths with hidden layers of equal width whose number of parameters is nearest to `total`."""
    candidates = ((inputs, *[units] * depth, outputs) for units in range(1, total // inputs + 1))
    return min(candidates, key=lambda widths: abs(parameters(widths) - total))


def train(stack: Stack, task: DepthTask, settings: DepthOrWidthSettings) -> tuple[Tensor, Tensor]:
    """Errors in % on the training and on the test samples of each network, (networks,)."""
    optimizer = torch.optim.Adam(stack, lr=settings.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.steps)
    generator = torch.Generator().manual_seed(0)
    for rows in torch.randint(len(task.x), (settings.steps, BATCH), generator=generator):
        optimizer.zero_grad()
        loss, _ = losses(stack, task.x[rows], task.y[rows])
        loss.sum().backward()
        optimizer.step()
        schedule.step()
    return _errors(stack, task.x, task.y), _errors(stack, task.test_x, task.test_y)


def _errors(stack: Stack, x: Tensor, y: Tensor) -> Tensor:
    with torch.no_grad():
        blocks = zip(x.split(1000), y.split(1000), strict=True)
        right = torch.stack([losses(stack, each, labels)[1] * len(each) for each, labels in blocks])
    return 100 * (1 - right.sum(0) / len(x))


def gain(errors: Errors, task: str, depth: int) -> tuple[float, float, float]:
    """95 % interval of what so many layers gain over one, in percentage points of test error:
    (mean, low, high)."""
    pairs = zip(errors[task, 1], errors[task, depth], strict=True)
    return of_mean([one - deep for one, deep in pairs])


def depth_criteria(errors: Errors) -> tuple[Criterion, ...]:
    mnist, product = gain(errors, MNIST, 3)[1], gain(errors, PRODUCT, 3)[1]
    means = {depth: fmean(errors[MNIST, depth]) for depth in DEPTHS}
    missed = min(means[1], means[2]) - min(means.values())
    six = fmean(errors[PRODUCT, 6]) - fmean(errors[PRODUCT, 3])
    return (
        Criterion(
            "on MNIST three hidden layers have a lower test error than one with as many "
            "parameters: the 95 % interval of the gain is above 0 (low end, percentage points)",
            mnist,
            mnist > 0,
        ),
        Criterion(
            "on the sign of a product they do too (low end, percentage points)",
            product,
            product > 0,
        ),
        Criterion(
            "on MNIST one or two hidden layers come within half a percentage point of the best "
            "depth (what they miss)",
            missed,
            missed < 0.5,
            part_of_claim=False,
        ),
        Criterion(
            "on the sign of a product six layers are no better than three (mean difference of the "
            "errors, percentage points)",
            six,
            six >= 0,
            part_of_claim=False,
        ),
    )


def run_l64(settings: DepthOrWidthSettings) -> LabResult:
    tasks = {MNIST: digits_task(settings.images), PRODUCT: product_task(settings.samples)}
    seeds = tuple(range(settings.seeds))
    errors: dict[tuple[str, int], list[float]] = {}
    numbers = {}
    for name, task in tasks.items():
        outputs = 10 if name == MNIST else 2
        for depth in DEPTHS:
            widths = widths_of(task.x.shape[1], outputs, depth, PARAMETERS[name])
            trained, tested = train(new_stack(widths, seeds), task, settings)
            errors[name, depth] = tested.tolist()
            layers = f"{name}, {depth} hidden layer{'s' if depth > 1 else ''}"
            numbers[f"{layers}: units of each"] = float(widths[1])
            numbers[f"{layers}: training error, %"] = float(trained.mean())
            numbers[f"{layers}: test error, %"] = float(tested.mean())
    for name in tasks:
        for what, value in zip(("mean", "low", "high"), gain(errors, name, 3), strict=True):
            numbers[f"{name}: gain of three layers over one, {what}, points"] = value
    return LabResult(numbers, depth_criteria(errors), _error_by_depth(errors), {}, seeds)


def _error_by_depth(errors: Errors) -> str:
    with figure(rows=2, height=5) as (drawing, axes):
        for axis, name, colour in ((axes[0][0], MNIST, BLUE), (axes[1][0], PRODUCT, ORANGE)):
            axis.plot(DEPTHS, [fmean(errors[name, d]) for d in DEPTHS], "o-", color=colour)
            for depth in DEPTHS:
                values = errors[name, depth]
                axis.plot([depth] * len(values), values, ".", color=colour, alpha=0.4)
            axis.set_xticks(DEPTHS)
            axis.set_ylim(bottom=0)
            axis.set_ylabel("test error, %")
            axis.set_title(f"{name}: {PARAMETERS[name]:,} parameters")
        axes[1][0].set_xlabel("hidden layers")
        return svg(drawing, "Depth at equal parameters")


L64 = Lab(
    "L64",
    lab_texts()["L64"],
    run_l64,
    DepthOrWidthSettings(),
    minutes=1,
    small={"images": 50, "samples": 50, "steps": 2, "seeds": 2},
)
