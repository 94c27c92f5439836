"""L42: Adam need not converge. On a sequence of losses with rare large gradients it moves away from
the best point; AMSGrad does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import integer, number
from netwise.parts.optimizers import Adam, AMSGrad
from netwise.report.pictures.drawing import BLUE, GREEN, ORANGE, figure, svg, use_log_scale

RATE = 0.1  # divided by sqrt(t)

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class CounterexampleSettings(LabSettings):
    """What can be varied in L42.

    Args:
        gradient: the large gradient C, which comes in one step of three; the others have -1.
            Default 3.
        steps: Default 3000.
    """

    gradient: float = number(
        3.0, above=2, most=100, because="with 2 or less the mean gradient is not positive"
    )
    steps: int = integer(
        3000, least=100, most=1_000_000, because="a step of three has the large gradient"
    )


def path(rule: Adam, large: float, steps: int) -> list[float]:
    """The point after each step, from 0 and kept in [-1, 1], at rates 0.1 / sqrt(t)."""
    x = torch.zeros(1, dtype=torch.float64)
    state, points = rule.init(x), []
    for t in range(1, steps + 1):
        gradient = torch.full_like(x, large if t % 3 == 1 else -1.0)
        x, state = rule.step(x, gradient, state, t, lr=RATE / math.sqrt(t))
        x = x.clamp(-1, 1)
        points.append(x.item())
    return points


def mean_regret(points: list[float], large: float) -> float:
    """Mean loss above that of x = -1, the best fixed point, where the mean gradient is positive."""
    each = [(large if t % 3 == 1 else -1.0) * (x + 1) for t, x in enumerate(points, start=1)]
    return sum(each) / len(each)


def short_memory(large: float) -> float:
    """The decay of the squared gradient in the published example: 1 / (1 + C^2)."""
    return 1 / (1 + large * large)


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    adam, amsgrad = numbers["Adam: end point"], numbers["AMSGrad: end point"]
    regret = numbers["Adam: mean regret"]
    usual = numbers["Adam, beta2 0.999: end point"]
    return (
        Criterion("Adam ends above 0.9, near +1, the worst point", adam, adam > 0.9),
        Criterion("AMSGrad ends below -0.9, near -1, the best point", amsgrad, amsgrad < -0.9),
        Criterion(
            "Adam's mean regret stays above 0.1 a step: it does not fall to 0",
            regret,
            regret > 0.1,
            part_of_claim=False,
        ),
        Criterion(
            "with beta2 = 0.999, the usual value, Adam ends below -0.9 too",
            usual,
            usual < -0.9,
            part_of_claim=False,
        ),
    )


def run_l42(settings: CounterexampleSettings) -> LabResult:
    large = settings.gradient
    memory = short_memory(large)
    arms = {
        "Adam": Adam(beta1=0.0, beta2=memory),
        "AMSGrad": AMSGrad(beta1=0.0, beta2=memory),
        "Adam, beta2 0.999": Adam(beta1=0.0, beta2=0.999),
    }
    paths = {name: path(rule, large, settings.steps) for name, rule in arms.items()}
    numbers = {f"{name}: end point": points[-1] for name, points in paths.items()}
    for name, points in paths.items():
        numbers[f"{name}: mean regret"] = mean_regret(points, large)
    title = f"Gradients {large:g}, −1, −1, {large:g}, …: the best point is −1"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, points), colour in zip(paths.items(), (ORANGE, BLUE, GREEN), strict=True):
            axis.plot(range(1, len(points) + 1), points, color=colour, label=name)
        use_log_scale(axis, "x")
        axis.set_title(title)
        axis.set_xlabel("step")
        axis.set_ylabel("point x")
        axis.legend()
        return LabResult(numbers, criteria(numbers), svg(drawing, title))


L42 = Lab(
    "L42",
    lab_texts()["L42"],
    run_l42,
    CounterexampleSettings(),
    stops=("gradient", (2.1, 3.0, 5.0, 20.0)),
)
