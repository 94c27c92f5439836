"""L45: momentum in a ravine. It damps the zig-zag between the steep walls, and the form that
averages gradients needs a larger rate than plain descent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import number
from netwise.report.pictures.drawing import BLUE, GREEN, ORANGE, figure, svg, use_log_scale

START = (10.0, 1.0)
GOAL = 1e-6  # loss
LONGEST = 5000  # steps
RATES = 400  # tried for each arm, from 1e-4 to 10

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class RavineSettings(LabSettings):
    """What can be varied in L45.

    Args:
        steepness: of the walls: the loss is x^2 + steepness * y^2. Default 50.
        momentum: beta, the share of the old direction that is kept. Default 0.9.
    """

    steepness: float = number(50.0, above=1, most=500, because="a ravine is steep on one side")
    momentum: float = number(
        0.9, above=0, most=0.98, because="nearer to 1 the best run takes thousands of steps"
    )


def paths(rates: np.ndarray, beta: float, steepness: float, averaged: bool) -> np.ndarray:
    """Points (steps + 1, rates, 2) of descent with momentum at each rate.

    Args:
        rates: learning rates.
        beta: 0 for plain descent.
        steepness: of y.
        averaged: m = beta m + (1 - beta) g, else m = beta m + g; the step is rate * m in both.
    """
    curvature = 2 * np.array([1.0, steepness])
    w, m = np.tile(START, (len(rates), 1)), np.zeros((len(rates), 2))
    points = [w]
    for _ in range(LONGEST):
        m = beta * m + (1 - beta if averaged else 1.0) * curvature * w
        w = np.clip(w - rates[:, None] * m, -1e9, 1e9)
        points.append(w)
        if (loss(w, steepness) < GOAL * 1e-3).any():  # the fastest has long reached the goal
            break
    return np.stack(points)


def loss(points: np.ndarray, steepness: float) -> np.ndarray:
    values: np.ndarray = points[..., 0] ** 2 + steepness * points[..., 1] ** 2
    return values


def steps_to_goal(points: np.ndarray, steepness: float) -> np.ndarray:
    """For each rate, the steps after which the loss stays below 1e-6; all of them where it never
    does."""
    above = loss(points, steepness) >= GOAL
    last = len(above) - 1 - np.argmax(above[::-1], axis=0)
    return np.where(above.any(0), last + 1, 0)


def crossings(y: np.ndarray) -> float:
    """The share of steps that end on the other side of the ravine."""
    return float((np.sign(y[1:]) != np.sign(y[:-1])).mean())


def best_run(beta: float, steepness: float, averaged: bool = True) -> tuple[float, np.ndarray]:
    """(best rate, points up to the goal) among 400 rates."""
    rates = np.geomspace(1e-4, 10, RATES)
    points = paths(rates, beta, steepness, averaged)
    steps = steps_to_goal(points, steepness)
    best = int(np.argmin(steps))
    return float(rates[best]), points[: steps[best] + 1, best]


def best_momentum(steepness: float) -> float:
    """((sqrt(k) - 1) / (sqrt(k) + 1))^2 for condition number k, the fastest on a quadratic."""
    root = math.sqrt(steepness)
    return ((root - 1) / (root + 1)) ** 2


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    gain = numbers["plain: steps"] / numbers["momentum: steps"]
    less = numbers["plain: share of steps across"] - numbers["momentum: share of steps across"]
    ratio = numbers["momentum: best rate"] / numbers["plain: best rate"]
    tuned = numbers["plain: steps"] / numbers["best momentum: steps"]
    apart = numbers["averaged at rate / (1 - beta) and classic: largest distance"]
    return (
        Criterion("at its best rate momentum needs fewer steps (ratio above 1)", gain, gain > 1),
        Criterion(
            "at its best rate momentum crosses the ravine in a smaller share of its steps",
            less,
            less > 0,
        ),
        Criterion(
            "the averaged form at rate / (1 - beta) takes the path of the classic form",
            apart,
            apart < 1e-9,
        ),
        Criterion(
            "the best rate of the averaged form is at least 5 times that of plain descent",
            ratio,
            ratio >= 5,
            part_of_claim=False,
        ),
        Criterion(
            "with the momentum that theory gives for this ravine it is at least 5 times as fast",
            tuned,
            tuned >= 5,
            part_of_claim=False,
        ),
    )


def run_l45(settings: RavineSettings) -> LabResult:
    steepness, beta = settings.steepness, settings.momentum
    arms = {"plain": 0.0, "momentum": beta, "best momentum": best_momentum(steepness)}
    numbers, runs = {"best momentum": best_momentum(steepness)}, {}
    for name, value in arms.items():
        rate, runs[name] = best_run(value, steepness)
        numbers[f"{name}: best rate"] = rate
        numbers[f"{name}: steps"] = float(len(runs[name]) - 1)
        numbers[f"{name}: share of steps across"] = crossings(runs[name][:, 1])
    same = np.array([numbers["plain: best rate"]])
    classic = paths(same, beta, steepness, averaged=False)[:200]
    averaged = paths(same / (1 - beta), beta, steepness, averaged=True)[:200]
    numbers["averaged at rate / (1 - beta) and classic: largest distance"] = float(
        np.abs(classic - averaged).max()
    )
    return LabResult(numbers, criteria(numbers), picture(runs, numbers, steepness, beta))


def picture(runs: Mapping[str, np.ndarray], numbers: Numbers, steepness: float, beta: float) -> str:
    title = f"x² + {steepness:g}y², each at its best rate"
    labels = {
        "plain": "plain",
        "momentum": f"momentum {beta:g}",
        "best momentum": f"momentum {numbers['best momentum']:.2f}",
    }
    with figure(columns=2) as (drawing, axes):
        for (name, points), colour in zip(runs.items(), (ORANGE, BLUE, GREEN), strict=True):
            axes[0][0].plot(
                points[:20, 0],
                points[:20, 1],
                color=colour,
                marker=".",
                linewidth=1,
                label=labels[name],
            )
            axes[0][1].plot(loss(points, steepness), color=colour)
        axes[0][0].set_title("20 steps")
        axes[0][0].set_xlabel("x")
        axes[0][0].set_ylabel("y")
        axes[0][1].set_title("loss by step")
        axes[0][1].set_xlabel("step")
        use_log_scale(axes[0][1], "y")
        axes[0][0].legend(fontsize=7)
        return svg(drawing, title)


L45 = Lab(
    "L45", lab_texts()["L45"], run_l45, RavineSettings(), stops=("momentum", (0.5, 0.7, 0.9, 0.97))
)
