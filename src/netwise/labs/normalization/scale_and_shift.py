"""L32: batch normalization with its learned scale and shift held at 1 and 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.stacked_mlp import Stack, new_stack
from netwise.part import integer
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg

BATCH = 50
DEPTHS = (1, 2, 3)
RATES = (0.3, 1.0, 3.0, 10.0)
UNITS = {"sigmoid": torch.sigmoid, "ReLU": torch.relu}

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class ScaleAndShiftSettings(LabSettings):
    """What can be varied in L32.

    Args:
        epochs: Default 10.
        width: units of each hidden layer. Default 30.
        seeds: Default 5.
    """

    epochs: int = integer(10, least=1, most=500, because="a run has an epoch")
    width: int = integer(30, least=1, most=500, because="a hidden layer has units")
    seeds: int = integer(5, least=2, most=50, because="an interval needs two values")


def forward(
    stack: Stack, scales: list[Tensor], shifts: list[Tensor], x: Tensor, unit: str
) -> tuple[Tensor, Tensor]:
    """(logits, inputs of the last hidden layer's units) with the statistics of the batch."""
    a, z = x.expand(len(stack[0]), *x.shape), x
    for i, (scale, shift) in enumerate(zip(scales, shifts, strict=True)):
        z = torch.bmm(a, stack[2 * i])  # its bias would be subtracted with the mean
        variance, mean = torch.var_mean(z, 1, correction=0, keepdim=True)
        z = scale * (z - mean) / (variance + 1e-5).sqrt() + shift
        a = UNITS[unit](z)
    return torch.baddbmm(stack[-1], a, stack[-2]), z


def loss_of(logits: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of each network."""
    targets = y.expand(len(logits), -1)
    return functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none").mean(1)


@dataclass(frozen=True)
class Trained:
    """Networks of all seeds at their best rate.

    Args:
        rate: the one with the lowest mean training loss.
        loss: training loss of each seed, with the statistics of all samples.
        inside: the share of the last hidden units' inputs with |z| < 1.
        scale: mean of the scales.
        shift: mean absolute value of the shifts.
    """

    rate: float
    loss: Tensor
    inside: float
    scale: float
    shift: float


def train(unit: str, depth: int, learned: bool, settings: ScaleAndShiftSettings) -> Trained:
    """Train on the digits for each rate and seed at once."""
    samples = data.digits().load().train
    x, y = samples.x.flatten(1), samples.y
    copies = len(RATES) * settings.seeds
    widths = (x.shape[1], *[settings.width] * depth, 10)
    stack = new_stack(widths, list(range(settings.seeds)) * len(RATES))
    lr = torch.tensor(RATES).repeat_interleave(settings.seeds).reshape(copies, 1, 1)
    shape = (copies, 1, settings.width)
    scales = [torch.ones(shape, requires_grad=learned) for _ in range(depth)]
    shifts = [torch.zeros(shape, requires_grad=learned) for _ in range(depth)]
    g = torch.Generator().manual_seed(0)
    for _ in range(settings.epochs):
        for rows in torch.randperm(len(y), generator=g).split(BATCH):
            logits, _ = forward(stack, scales, shifts, x[rows], unit)
            trained = [*stack[::2], stack[-1], *(scales + shifts if learned else [])]
            gradients = torch.autograd.grad(loss_of(logits, y[rows]).sum(), trained)
            with torch.no_grad():
                for w, gradient in zip(trained, gradients, strict=True):
                    w -= lr * gradient
    with torch.no_grad():
        logits, z = forward(stack, scales, shifts, x, unit)
        losses = loss_of(logits, y).nan_to_num(1e9).reshape(len(RATES), settings.seeds)
    best = int(losses.log().mean(1).argmin())
    mine = slice(best * settings.seeds, (best + 1) * settings.seeds)
    return Trained(
        RATES[best],
        losses[best],
        float((z[mine].abs() < 1).float().mean()),
        float(torch.stack(scales)[:, mine].mean().detach()),
        float(torch.stack(shifts)[:, mine].abs().mean().detach()),
    )


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    made = [
        Criterion(
            f"sigmoid, {depth} hidden: the training loss is higher without scale and shift (low "
            "end of the 95 % interval of the difference of log10)",
            numbers[f"sigmoid, {depth} hidden: log10 loss, fixed - learned, low"],
            numbers[f"sigmoid, {depth} hidden: log10 loss, fixed - learned, low"] > 0,
        )
        for depth in DEPTHS
    ]
    relu = max(numbers[f"ReLU, {d} hidden: log10 loss, fixed - learned, mean"] for d in DEPTHS)
    scale = min(numbers[f"sigmoid, {depth} hidden: mean scale"] for depth in DEPTHS)
    inside = max(numbers[f"sigmoid, {depth} hidden: |z| < 1, fixed"] for depth in DEPTHS)
    return (
        *made,
        Criterion(
            "with ReLU the loss without them is at most a quarter higher (largest of the means of "
            "log10 below 0.1)",
            relu,
            relu < 0.1,
            part_of_claim=False,
        ),
        Criterion(
            "with sigmoid units training makes the scale larger than 1, out of the linear part",
            scale,
            scale > 1,
            part_of_claim=False,
        ),
        Criterion(
            "without them at most 0.75 of the inputs of sigmoid units lie in the linear part, "
            "|z| < 1",
            inside,
            inside <= 0.75,
            part_of_claim=False,
        ),
    )


def run_l32(settings: ScaleAndShiftSettings) -> LabResult:
    numbers: dict[str, float] = {}
    for unit in UNITS:
        for depth in DEPTHS:
            label = f"{unit}, {depth} hidden"
            fixed = train(unit, depth, False, settings)
            learned = train(unit, depth, True, settings)
            for name, each in (("fixed", fixed), ("learned", learned)):
                numbers[f"{label}: rate, {name}"] = each.rate
                numbers[f"{label}: training loss, {name}"] = float(each.loss.mean())
                numbers[f"{label}: |z| < 1, {name}"] = each.inside
            numbers[f"{label}: mean scale"] = learned.scale
            numbers[f"{label}: mean |shift|"] = learned.shift
            ends = of_mean((fixed.loss.log10() - learned.loss.log10()).tolist())
            for end, value in zip(("mean", "low", "high"), ends, strict=True):
                numbers[f"{label}: log10 loss, fixed - learned, {end}"] = value
    seeds = tuple(range(settings.seeds))
    return LabResult(numbers, criteria(numbers), picture(numbers), seeds=seeds)


def picture(numbers: Numbers) -> str:
    title = "Training loss without scale and shift"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for push, unit, colour in zip((-0.06, 0.06), UNITS, (ORANGE, BLUE), strict=True):
            name = f"{unit}, {{}} hidden: log10 loss, fixed - learned, {{}}"
            means = [numbers[name.format(depth, "mean")] for depth in DEPTHS]
            lows = [numbers[name.format(depth, "low")] for depth in DEPTHS]
            errors = [mean - low for mean, low in zip(means, lows, strict=True)]
            places = [depth + push for depth in DEPTHS]
            axis.errorbar(places, means, errors, fmt="o", color=colour, capsize=3, label=unit)
        axis.axhline(0, color="gray", linewidth=0.8)
        axis.set_xticks(DEPTHS)
        axis.set_title(title)
        axis.set_xlabel("hidden layers")
        axis.set_ylabel("log10 of loss, fixed − learned")
        axis.legend()
        return svg(drawing, title)


L32 = Lab(
    "L32",
    lab_texts()["L32"],
    run_l32,
    ScaleAndShiftSettings(),
    minutes=0.5,
    small={"epochs": 1, "width": 5, "seeds": 2},
)
