"""L85: layers bend the plane without tearing it, so that tangled data need a layer that is wider
than their space."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import integer, number
from netwise.report.pictures.drawing import BLUE, GREEN, GREY, ORANGE, figure, svg

CHECKED_EVERY = 50  # steps: a network that was right at one of them counts as having separated
TRAINED, CHECKED = 100, 1000  # points of each class: a network must not slip between those trained
RING, TORI, SPIRALS = "ring", "linked rings", "spirals"

# (data, widths): hidden layers as wide as the space, and one that is wider.
NARROW, NARROW_DEEP, WIDER = "2-2-2-1", "2-2-2-2-2-1", "2-3-1"
LINKED, UNLINKING = "3-3-3-1", "3-4-4-1"
ARMS: Mapping[tuple[str, str], tuple[int, ...]] = {
    (RING, NARROW): (2, 2, 2, 1),
    (RING, NARROW_DEEP): (2, 2, 2, 2, 2, 1),
    (RING, WIDER): (2, 3, 1),
    (TORI, LINKED): (3, 3, 3, 1),
    (TORI, UNLINKING): (3, 4, 4, 1),
    (SPIRALS, "2-2-2-2-1"): (2, 2, 2, 2, 1),
    (SPIRALS, "2-8-8-1"): (2, 8, 8, 1),
}

Points = tuple[Tensor, Tensor]  # (points, dimensions) and their classes, 0 or 1, (points,)


@dataclass(frozen=True)
class BentPlaneSettings(LabSettings):
    """What can be varied in L85.

    Args:
        seeds: networks of each shape. Default 100.
        steps: of Adam on all points at once. Default 2,000.
        rate: its learning rate. Default 0.03.
        gap: width of the gap between the disk and the ring around it. Default 0.5.
    """

    seeds: int = integer(100, least=1, most=10_000, because="a network is drawn for each")
    steps: int = integer(2000, least=CHECKED_EVERY, most=100_000, because="one check at least")
    rate: float = number(0.03, above=0, because="a step of 0 changes nothing")
    gap: float = number(0.5, least=0, most=10, because="it lies between radii")


def ring(gap: float, count: int) -> Points:
    """A disk of radius 1 (class 0), and around it a ring of width 0.5 (class 1), (2 count, 2)."""
    i = torch.arange(count)
    angle = i * math.pi * (3 - math.sqrt(5))  # a sunflower: points at about equal distances
    share = (i + 0.5) / count
    circle = torch.stack((angle.cos(), angle.sin()), 1)
    inner = share.sqrt()[:, None] * circle
    even = 2 * math.pi * share
    radius = (1 + gap + 0.5 * (i % 3) / 2)[:, None]
    outer = radius * torch.stack((even.cos(), even.sin()), 1)
    return _joined(inner, outer)


def linked_rings(count: int) -> Points:
    """Two circles of radius 1 in space, each through the middle of the other, (2 count, 3)."""
    angle = 2 * math.pi * torch.arange(count) / count
    zero = torch.zeros(count)
    first = torch.stack((angle.cos(), angle.sin(), zero), 1)
    second = torch.stack((1 + angle.cos(), zero, angle.sin()), 1)
    return _joined(first, second)


def spirals(count: int, turns: float = 1.0) -> Points:
    """Two spirals around each other, (2 count, 2)."""
    share = (torch.arange(count) + 0.5) / count
    angle = 2 * math.pi * turns * share
    arm = (0.3 + 1.7 * share)[:, None] * torch.stack((angle.cos(), angle.sin()), 1)
    return _joined(arm, -arm)


def _joined(first: Tensor, second: Tensor) -> Points:
    labels = torch.cat([torch.zeros(len(first)), torch.ones(len(second))])
    return torch.cat([first, second]), labels


@dataclass(frozen=True)
class Bank:
    """Many tanh networks of one shape, trained at once.

    Args:
        weights: of each layer, (networks, ins, outs).
        biases: of each layer, (networks, 1, outs).
    """

    weights: list[Tensor]
    biases: list[Tensor]

    def outputs(self, x: Tensor) -> Tensor:
        """Logits of class 1, (networks, points)."""
        h = x.expand(len(self.weights[0]), *x.shape)
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            h = torch.baddbmm(bias, h, weight)
            if i < len(self.weights):
                h = torch.tanh(h)
        return h.squeeze(2)


def random_bank(widths: Sequence[int], seeds: int) -> Bank:
    """Weights from N(0, 1 / ins) times 1.5, so that layers bend, and biases from N(0, 0.5)."""
    weights, biases = [], []
    for i, (ins, outs) in enumerate(pairwise(widths)):
        generator = torch.Generator().manual_seed(i)
        # Drawn for each network in turn: more seeds leave the first ones as they are.
        drawn = torch.randn((seeds, ins + 1, outs), generator=generator)
        weights.append((1.5 * drawn[:, :ins] / math.sqrt(ins)).requires_grad_())
        biases.append((0.5 * drawn[:, ins:]).requires_grad_())
    return Bank(weights, biases)


def train_bank(bank: Bank, points: Points, dense: Points, steps: int, rate: float) -> Tensor:
    """Train all networks on all points; the best share of right answers of each at the checks, on
    the dense points, (networks,)."""
    x, y = points
    optimizer = torch.optim.Adam([*bank.weights, *bank.biases], lr=rate)
    best = torch.zeros(len(bank.weights[0]))
    targets = y.expand(len(best), -1)
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        logits = bank.outputs(x)
        # A sum over networks: each gets the gradient of its own mean loss.
        loss = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / len(y)
        loss.backward()
        optimizer.step()
        if step % CHECKED_EVERY == 0:
            with torch.no_grad():
                right = ((bank.outputs(dense[0]) > 0) == (dense[1] > 0.5)).float().mean(1)
            best = torch.maximum(best, right)
    return best


def bent_criteria(shares: Mapping[tuple[str, str], float]) -> tuple[Criterion, ...]:
    """Criteria on the share of the networks of each shape that separated all points."""
    narrow = max(shares[RING, NARROW], shares[RING, NARROW_DEEP])
    wider, linked = shares[RING, WIDER], shares[TORI, LINKED]
    unlinked, spiral = shares[TORI, UNLINKING], shares[SPIRALS, "2-2-2-2-1"]
    return (
        Criterion(
            "no network whose layers are 2 wide separates a disk from the ring around it, two "
            "hidden layers or four (share)",
            narrow,
            narrow == 0,
        ),
        Criterion(
            "more than 90 % of those with one layer of 3 units do (share)", wider, wider > 0.9
        ),
        Criterion(
            "no network whose layers are 3 wide separates two linked rings in space (share)",
            linked,
            linked == 0,
        ),
        Criterion("some of those whose layers are 4 wide do (share)", unlinked, unlinked > 0),
        Criterion(
            "spirals, which are bent and not enclosed, can be separated by layers of 2 units "
            "(share)",
            spiral,
            spiral > 0,
            part_of_claim=False,
        ),
    )


def run_l85(settings: BentPlaneSettings) -> LabResult:
    makers: dict[str, Callable[[int], Points]] = {
        RING: partial(ring, settings.gap),
        TORI: linked_rings,
        SPIRALS: spirals,
    }
    data = {name: make(TRAINED) for name, make in makers.items()}
    dense = {name: make(CHECKED) for name, make in makers.items()}
    banks, best = {}, {}
    for (name, shape), widths in ARMS.items():
        bank = random_bank(widths, settings.seeds)
        best[name, shape] = train_bank(bank, data[name], dense[name], settings.steps, settings.rate)
        banks[name, shape] = bank
    shares = {arm: float((right == 1).float().mean()) for arm, right in best.items()}
    numbers = {}
    for (name, shape), right in best.items():
        numbers[f"{name}, {shape}: share of networks that separate"] = shares[name, shape]
        numbers[f"{name}, {shape}: best accuracy, %"] = 100 * float(right.max())
    picture = _regions_and_shares(banks, best, data[RING], shares)
    return LabResult(numbers, bent_criteria(shares), picture, {}, tuple(range(settings.seeds)))


def _regions_and_shares(
    banks: Mapping[tuple[str, str], Bank],
    best: Mapping[tuple[str, str], Tensor],
    points: Points,
    shares: Mapping[tuple[str, str], float],
) -> str:
    with figure(rows=2, columns=2, height=5.4) as (drawing, axes):
        for axis, shape in zip(axes[0], (NARROW, WIDER), strict=True):
            network = int(best[RING, shape].argmax())
            _draw_region(axis, banks[RING, shape], network, points)
            right = float(best[RING, shape][network])
            axis.set_title(f"{shape}: best {100 * right:.0f} %")
        bars = drawing.add_subplot(axes[1][0].get_gridspec()[1, :])
        for axis in axes[1]:
            axis.remove()
        names = [f"{name}, {shape}" for name, shape in shares]
        colours = [{RING: BLUE, TORI: ORANGE, SPIRALS: GREEN}[name] for name, _ in shares]
        bars.barh(range(len(names)), [100 * share for share in shares.values()], color=colours)
        bars.set_yticks(range(len(names)), names)
        bars.invert_yaxis()
        bars.set_xlim(0, 100)
        bars.set_xlabel("networks that separate all points, %")
        return svg(drawing, "Bent planes")


def _draw_region(axis: Any, bank: Bank, network: int, points: Points) -> None:
    """The plane in two colours by the answers of one network of the bank, and the points."""
    x, y = points
    reach = 1.1 * float(x.abs().max())
    steps = torch.linspace(-reach, reach, 100)
    grid = torch.cartesian_prod(steps, steps)
    with torch.no_grad():
        answers = bank.outputs(grid)[network].reshape(100, 100).t() > 0
    axis.contourf(
        steps, steps, answers.float(), levels=[-0.5, 0.5, 1.5], colors=[GREY, ORANGE], alpha=0.25
    )
    for label, colour in ((0, GREY), (1, ORANGE)):
        axis.plot(*x[y == label].t().numpy(), ".", color=colour, markersize=3)
    axis.set_aspect("equal")
    axis.set_xlabel("input 1")
    axis.set_ylabel("input 2")


L85 = Lab(
    "L85",
    lab_texts()["L85"],
    run_l85,
    BentPlaneSettings(),
    minutes=1,
    small={"seeds": 2, "steps": CHECKED_EVERY},
)
