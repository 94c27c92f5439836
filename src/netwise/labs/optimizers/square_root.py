"""L46: the step of adaptive optimizers divides by the root of the second moment. Multiplied, as one
table of formulas prints it, the step grows with the gradient and the weight runs away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import number
from netwise.parts.optimizers import MomentOptimizer
from netwise.report.pictures.drawing import COLOURS, figure, svg, use_log_scale

STEPS = 100
SCALES = (1, 10, 100, 1000)
RUNAWAY = 1e6  # distance from the minimum at which a path has diverged
MINIMUM = -1.0

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class SquareRootSettings(LabSettings):
    """What can be varied in L46.

    Args:
        rate: the learning rate. Default 0.3.
        start: the weight before the first step; the minimum is -1. Default 5.
    """

    rate: float = number(0.3, above=0, because="a step of 0 changes nothing")
    start: float = number(5.0, above=MINIMUM, because="the minimum is at -1 and paths come down")


def rules(rate: float) -> dict[str, MomentOptimizer]:
    """Three optimizers of the frame m_t, V_t."""
    return {
        "Adam": MomentOptimizer(lr=rate),
        "RMSProp": MomentOptimizer(lr=rate, first="gradient", beta2=0.9, corrected=False),
        "AdaGrad": MomentOptimizer(lr=rate, first="gradient", second="sum"),
    }


def path(rule: MomentOptimizer, scale: float, start: float, divide: bool) -> list[float]:
    """The weights over 100 steps on scale * (w + 1)^2, the start first; shorter where it diverges.

    Args:
        rule: gives the moments of each step.
        scale: a factor of the loss.
        start: the first weight.
        divide: by the root of V, as published; else multiply by it.
    """
    w = torch.tensor([start], dtype=torch.float64)
    state, weights = rule.init(w), [start]
    for t in range(1, STEPS + 1):
        divided, state = rule.step(w, 2 * scale * (w - MINIMUM), state, t)
        if divide:
            w = divided
        else:  # the step has sqrt(V) once in the denominator: bring it to the numerator
            root = rule.lr / rule.rates(state, t)
            w = w - (w - divided) * root.square()
        weights.append(w.item())
        if abs(weights[-1] - MINIMUM) > RUNAWAY:
            break
    return weights


def last_step(weights: list[float]) -> float:
    """The number of the step at which a path had diverged; 100 where it had not."""
    return float(len(weights) - 1)


def spread(paths: list[list[float]]) -> float:
    """The largest distance between paths at the same step."""
    return max((max(values) - min(values) for values in zip(*paths, strict=True)), default=0.0)


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    worst = max(value for name, value in numbers.items() if "differ by" in name)
    adam, adagrad = (
        numbers[f"{name}, multiplied, scale 1: steps before it runs away"]
        for name in ("Adam", "AdaGrad")
    )
    hundred = numbers["Adam, multiplied, rate 0.1, scale 1: steps before it runs away"]
    ten = numbers["Adam, multiplied, rate 0.1, scale 10: steps before it runs away"]
    return (
        Criterion(
            "divided by the root, paths at scales 1 to 1000 differ by less than 0.001",
            worst,
            worst < 1e-3,
        ),
        Criterion("multiplied by the root, Adam runs away", adam, adam < STEPS),
        Criterion("multiplied by the root, AdaGrad runs away", adagrad, adagrad < STEPS),
        Criterion(
            "at rate 0.1 and scale 1 Adam survives the multiplication: the error can go unnoticed",
            hundred,
            hundred == STEPS,
            part_of_claim=False,
        ),
        Criterion(
            "at rate 0.1 a loss ten times as large makes it run away",
            ten,
            ten < STEPS,
            part_of_claim=False,
        ),
    )


def run_l46(settings: SquareRootSettings) -> LabResult:
    numbers: dict[str, float] = {}
    for name, rule in rules(settings.rate).items():
        paths = [path(rule, scale, settings.start, divide=True) for scale in SCALES]
        numbers[f"{name}: paths of all scales differ by"] = spread(paths)
        wrong = path(rule, 1, settings.start, divide=False)
        numbers[f"{name}, multiplied, scale 1: steps before it runs away"] = last_step(wrong)
    for scale in (1, 10):
        wrong = path(rules(0.1)["Adam"], scale, settings.start, divide=False)
        numbers[f"Adam, multiplied, rate 0.1, scale {scale}: steps before it runs away"] = (
            last_step(wrong)
        )
    return LabResult(numbers, criteria(numbers), picture(settings))


def picture(settings: SquareRootSettings) -> str:
    title = "Adam on scale · (w + 1)²"
    rule = rules(settings.rate)["Adam"]
    with figure(columns=2) as (drawing, axes):
        for axis, divide in zip(axes[0], (True, False), strict=True):
            for scale, colour, width in zip(SCALES, COLOURS, (5, 3.6, 2.2, 0.9), strict=False):
                weights = path(rule, scale, settings.start, divide)
                distances = [abs(weight - MINIMUM) for weight in weights]
                axis.plot(distances, color=colour, label=f"scale {scale}", linewidth=width)
            axis.set_title("divided by √V" if divide else "multiplied by √V")
            axis.set_xlabel("step")
            use_log_scale(axis, "y")
            axis.set_ylim(1e-3, RUNAWAY)
        axes[0][0].set_ylabel("distance from the minimum")
        axes[0][0].legend()
        return svg(drawing, title)


L46 = Lab(
    "L46", lab_texts()["L46"], run_l46, SquareRootSettings(), stops=("rate", (0.03, 0.1, 0.3, 1.0))
)
