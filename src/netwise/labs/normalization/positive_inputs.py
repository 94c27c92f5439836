"""L38: with inputs that are all positive, the gradient of a unit's weights has one sign, and its
path zig-zags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import integer
from netwise.report.pictures.drawing import BLUE, GREY, ORANGE, figure, svg

MEANS = {"positive": 0.5, "centred": 0.0}  # of inputs that are uniform over a range of 1
GOAL = 0.05  # distance from the right weights, as a share of that at the start
RATES = np.geomspace(0.01, 3, 24)
LONGEST = 3000  # steps
LARGE_BATCH = 64

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class PositiveInputsSettings(LabSettings):
    """What can be varied in L38.

    Args:
        inputs: of the unit. Default 10.
        batch: samples of one step. Default 1.
        seeds: Default 10.
    """

    inputs: int = integer(10, least=2, most=100, because="two signs can differ")
    batch: int = integer(1, least=1, most=64, because="a step needs a sample")
    seeds: int = integer(10, least=2, most=100, because="a mean needs some values")


@dataclass(frozen=True)
class TracedDescent:
    """Descent at the best rate.

    Args:
        weights: (steps + 1, seeds, inputs), until every seed has reached the goal.
        gradients: (steps, seeds, inputs).
        rate: the best one.
    """

    weights: np.ndarray
    gradients: np.ndarray
    rate: float


def descend(right: np.ndarray, mean: float, batch: int) -> TracedDescent:
    """Descent of one linear unit with a bias, from 0, at the rate at which the last seed is soonest
    within 5 % of the right weights.

    Args:
        right: weights (seeds, inputs) that made the targets.
        mean: of the inputs.
        batch: samples of one step.
    """
    seeds, inputs = right.shape
    rng = np.random.default_rng(0)
    w, bias = np.zeros((len(RATES), seeds, inputs)), np.zeros((len(RATES), seeds))
    weights, gradients = [w], []
    for _ in range(LONGEST):
        centred = rng.uniform(-0.5, 0.5, (batch, seeds, inputs))
        x = centred + mean
        error = np.einsum("bsi,rsi->brs", x, w) + bias - (centred * right).sum(2)[:, None]
        gradient = np.einsum("brs,bsi->rsi", error, x) / batch
        w = np.clip(w - RATES[:, None, None] * gradient, -1e9, 1e9)
        bias = np.clip(bias - RATES[:, None] * error.mean(0), -1e9, 1e9)
        weights.append(w)
        gradients.append(gradient)
        far = np.linalg.norm(w - right, axis=2) > GOAL * np.linalg.norm(right, axis=1)
        if not far.all(1).all() and (~far).all(1).any():
            break
    best = int(np.argmin(far.sum(1)))
    return TracedDescent(
        np.stack([each[best] for each in weights]),
        np.stack([each[best] for each in gradients]),
        float(RATES[best]),
    )


def agreement(gradients: np.ndarray) -> float:
    """The share of a unit's weights whose gradient has the sign of the majority, over all steps."""
    up = (gradients > 0).mean(-1)
    return float(np.maximum(up, 1 - up).mean())


def detour(weights: np.ndarray) -> float:
    """Length of the path over the straight distance from its start to its end, mean over seeds."""
    length = np.linalg.norm(np.diff(weights, axis=0), axis=-1).sum(0)
    return float((length / np.linalg.norm(weights[-1] - weights[0], axis=-1)).mean())


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    same = numbers["positive: agreement of signs"]
    ratio = numbers["positive: path / straight"] / numbers["centred: path / straight"]
    steps = numbers["positive: steps"] / numbers["centred: steps"]
    large = numbers["positive, batches of 64: agreement of signs"]
    return (
        Criterion(
            "with positive inputs all gradients of a unit have one sign in every step",
            same,
            same == 1,
        ),
        Criterion(
            "the path is at least 1.5 times as long, for its straight distance, as with centred "
            "inputs",
            ratio,
            ratio >= 1.5,
        ),
        Criterion(
            "positive inputs need at least twice the steps", steps, steps >= 2, part_of_claim=False
        ),
        Criterion(
            "in batches of 64 less than 0.9 of the gradients of a unit have the same sign",
            large,
            large < 0.9,
            part_of_claim=False,
        ),
    )


def run_l38(settings: PositiveInputsSettings) -> LabResult:
    right = np.random.default_rng(1).standard_normal((settings.seeds, settings.inputs))
    numbers: dict[str, float] = {}
    for name, mean in MEANS.items():
        for batch, label in ((settings.batch, name), (LARGE_BATCH, f"{name}, batches of 64")):
            done = descend(right, mean, batch)
            numbers[f"{label}: rate"] = done.rate
            numbers[f"{label}: agreement of signs"] = agreement(done.gradients)
            numbers[f"{label}: path / straight"] = detour(done.weights)
            numbers[f"{label}: steps"] = float(len(done.gradients))
    seeds = tuple(range(settings.seeds))
    return LabResult(numbers, criteria(numbers), picture(settings.batch), seeds=seeds)


def picture(batch: int) -> str:
    title = "Path of two weights"
    right = np.array([[1.0, -1.0]])
    with figure(height=3.2) as (drawing, axes):
        axis = axes[0][0]
        for (name, mean), colour in zip(MEANS.items(), (ORANGE, BLUE), strict=True):
            path = descend(right, mean, batch).weights[:, 0]
            axis.plot(path[:, 0], path[:, 1], color=colour, marker=".", linewidth=1, label=name)
        axis.plot(*right[0], "*", color=GREY, markersize=12, label="right weights")
        axis.set_title(title)
        axis.set_xlabel("first weight")
        axis.set_ylabel("second weight")
        axis.legend()
        return svg(drawing, title)


L38 = Lab(
    "L38", lab_texts()["L38"], run_l38, PositiveInputsSettings(), stops=("batch", (1, 4, 16, 64))
)
