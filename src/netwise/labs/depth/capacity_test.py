"""L63: a network that learns few samples by heart but not many is too small: when that test of
capacity is right, and what misleads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.stacked_mlp import Stack, losses, new_stack
from netwise.part import integer, number
from netwise.report.pictures.drawing import COLOURS, GREY, figure, svg, use_log_scale

WIDTHS = (3, 4, 6, 8, 10, 64)
SIZES = (20, 200, 1400)  # samples: few, more, all
WIDE = 256  # the network that tells what width alone would change
GOOD, LOW, HIGH = "good rate", "rate too low", "rate too high"
BATCH, MOMENTUM = 20, 0.9

Fits = Mapping[str, Mapping[int, Tensor]]  # rate -> width -> training accuracy (sizes, seeds)


@dataclass(frozen=True)
class CapacitySettings(LabSettings):
    """What can be varied in L63.

    Args:
        rate: the good learning rate. Default 0.02.
        low, high: the bad ones. Default 0.0005 and 0.5.
        steps: of batches of 20, for each number of samples. Default 1,500.
        seeds: networks of each width. Default 5.
    """

    rate: float = number(0.02, above=0, because="a step of 0 changes nothing")
    low: float = number(0.0005, above=0, because="a step of 0 changes nothing")
    high: float = number(0.5, above=0, because="a step of 0 changes nothing")
    steps: int = integer(1500, least=1, most=100_000, because="it counts updates")
    seeds: int = integer(5, least=1, most=100, because="a network is drawn for each")


FIT = 0.98  # training accuracy from which on data count as learned


def train_stack(
    stack: Stack, x: Tensor, y: Tensor, rates: Tensor, steps: int, seed: int = 0
) -> Tensor:
    """Train all networks on the same batches, each at its own rate (networks,); their accuracies
    on all samples, (networks,)."""
    generator = torch.Generator().manual_seed(seed)
    velocity = [torch.zeros_like(each) for each in stack]
    rows = torch.randint(len(x), (steps, BATCH), generator=generator)
    scale = rates[:, None, None]
    for chosen in rows:
        loss, _ = losses(stack, x[chosen], y[chosen])
        gradients = torch.autograd.grad(loss.sum(), stack)
        with torch.no_grad():
            for weight, moving, gradient in zip(stack, velocity, gradients, strict=True):
                moving.mul_(MOMENTUM).add_(gradient)
                weight.sub_(scale * moving)
    with torch.no_grad():
        loss, accuracy = losses(stack, x, y)
    return torch.where(loss.isfinite(), accuracy, torch.zeros(()))


def accuracies(settings: CapacitySettings) -> dict[str, dict[int, Tensor]]:
    """Training accuracies of all widths, sizes and seeds at the three rates."""
    train = data.digits().load().train
    x, y = train.x.flatten(1), torch.as_tensor(train.y)
    seeds = list(range(settings.seeds))
    names = {GOOD: settings.rate, LOW: settings.low, HIGH: settings.high}
    rates = torch.tensor([rate for rate in names.values() for _ in seeds])
    found: dict[str, dict[int, Tensor]] = {name: {} for name in names}
    for width in (*WIDTHS, WIDE):
        by_size = []
        for size in SIZES:
            stack = new_stack((x.shape[1], width, 10), seeds * len(names))
            fitted = train_stack(stack, x[:size], y[:size], rates, settings.steps)
            by_size.append(fitted.reshape(len(names), len(seeds)))
        for name, rows in zip(names, torch.stack(by_size, 1), strict=True):
            found[name][width] = rows
    return found


def is_too_small(accuracy: Tensor) -> Tensor:
    """The verdict of the test for each seed, of accuracies (sizes, seeds): the fewest samples are
    learned, and all are not."""
    return (accuracy[0] >= FIT) & (accuracy[-1] < FIT)


def needs_width(accuracy: Tensor, wide: Tensor) -> Tensor:
    """The truth for each seed: all samples are not learned, but they are by the wide network that
    is trained alike."""
    return (accuracy[-1] < FIT) & (wide[-1] >= FIT)


@dataclass(frozen=True)
class Judged:
    """How the test did on the networks at one rate, as shares of them.

    Args:
        right: whose verdict is the truth.
        called: that were called too small.
        helped: that were called too small and are.
    """

    right: float
    called: float
    helped: float

    @property
    def precision(self) -> float:
        """Share of those called too small that are; 0 where none was called so."""
        return self.helped / self.called if self.called else 0.0


def judged(fits: Mapping[int, Tensor]) -> Judged:
    called = torch.stack([is_too_small(fits[width]) for width in WIDTHS])
    truth = torch.stack([needs_width(fits[width], fits[WIDE]) for width in WIDTHS])
    right, helped = called == truth, called & truth
    return Judged(*(float(share.float().mean()) for share in (right, called, helped)))


def capacity_criteria(rates: Mapping[str, Judged]) -> tuple[Criterion, ...]:
    good = rates[GOOD]
    misled = max(rates[name].called - rates[name].helped for name in (LOW, HIGH))
    return (
        Criterion(
            "at a good rate at least 90 % of the networks that learn few samples and not all are "
            "too small: a wide one that is trained alike learns all (share)",
            good.precision,
            good.precision >= 0.9,
        ),
        Criterion(
            "at a good rate the verdict is right for at least 90 % of all networks, those included "
            "that are not called too small (share)",
            good.right,
            good.right >= 0.9,
        ),
        Criterion(
            "a bad learning rate makes the test call networks too small that width does not help "
            "(largest share at one of the two rates)",
            misled,
            misled > 0,
            part_of_claim=False,
        ),
    )


def run_l63(settings: CapacitySettings) -> LabResult:
    fits = accuracies(settings)
    numbers = {}
    rates = {name: judged(by_width) for name, by_width in fits.items()}
    for name, by_width in fits.items():
        numbers[f"{name}: share of right verdicts"] = rates[name].right
        numbers[f"{name}: share called too small"] = rates[name].called
        numbers[f"{name}: share rightly called too small"] = rates[name].helped
        for width in (WIDTHS[0], WIDTHS[-1], WIDE):
            for size, row in zip(SIZES, by_width[width], strict=True):
                what = f"{name}, {width} units, {size} samples: training accuracy, %"
                numbers[what] = 100 * float(row.mean())
    picture = _accuracy_by_size(fits)
    return LabResult(numbers, capacity_criteria(rates), picture, {}, tuple(range(settings.seeds)))


def _accuracy_by_size(fits: Fits) -> str:
    with figure(rows=2, height=5.4) as (drawing, axes):
        shown = ((GOOD, axes[0][0]), (LOW, axes[1][0]))
        for name, axis in shown:
            for width, colour in zip(WIDTHS, COLOURS, strict=False):
                mean = 100 * fits[name][width].mean(1)
                axis.plot(SIZES, mean.numpy(), "o-", color=colour, label=f"{width} units")
            wide = 100 * fits[name][WIDE].mean(1)
            axis.plot(SIZES, wide.numpy(), "o--", color=GREY, label=f"{WIDE} units")
            use_log_scale(axis, "x")
            axis.set_ylim(0, 103)
            axis.set_ylabel("training accuracy, %")
            axis.set_title(f"{name[0].upper()}{name[1:]}")
        axes[1][0].set_xlabel("training samples")
        axes[0][0].legend(fontsize=8, ncols=2)
        return svg(drawing, "Test of capacity")


L63 = Lab(
    "L63",
    lab_texts()["L63"],
    run_l63,
    CapacitySettings(),
    minutes=0.5,
    small={"steps": 5, "seeds": 1},
)
