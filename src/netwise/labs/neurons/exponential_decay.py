"""L74: a weight that descends a parabola while the learning rate decays exponentially."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import integer, number
from netwise.parts.schedules import Exponential, ScheduleContext
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg, use_log_scale

START, MINIMUM = 5.0, -1.0
TOO_LARGE = 1.0  # the rate at which a step of (w + 1)^2 mirrors the weight

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class DecaySettings(LabSettings):
    """What can be varied in L74.

    Args:
        rate: the learning rate at the start. Default 0.2.
        factor: on the rate, for each epoch. Default 0.99.
        epochs: steps. Default 40.
    """

    rate: float = number(0.2, above=0, most=10, because="a step of 0 changes nothing")
    factor: float = number(0.99, above=0, most=1, because="the rate shrinks")
    epochs: int = integer(40, least=1, most=10_000, because="it counts steps")


def descend(rate: float, factor: float, epochs: int) -> tuple[list[float], list[float]]:
    """(weights, rates): w <- w - rate d/dw (w + 1)^2 from w = 5; the weights before each step and
    after the last."""
    schedule, state = Exponential(factor=factor), Exponential(factor=factor).init()
    weights, rates = [START], []
    for epoch in range(epochs):
        share, state = schedule.next(state, ScheduleContext(epoch, epochs))
        rates.append(rate * share)
        weights.append(weights[-1] - rates[-1] * 2 * (weights[-1] - MINIMUM))
    return weights, rates


def decay_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    w, last = numbers["decay: weight at the end"], numbers["decay: last rate"]
    gain = numbers["distance from the minimum, constant rate / decay"]
    large = numbers["from rate 1: distance from the minimum with decay"]
    return (
        Criterion("after 40 epochs the weight is -1 up to 0.000001", w, abs(w + 1) < 1e-6),
        Criterion("the last rate is 0.13515", last, abs(last - 0.13515) < 5e-6),
        Criterion(
            "with a constant rate of 0.2 the weight ends farther from the minimum (ratio of the "
            "distances)",
            gain,
            gain > 1,
            part_of_claim=False,
        ),
        Criterion(
            "from a rate of 1, at which a constant rate moves the weight between 5 and -7 for "
            "ever, the decay brings it closer than 0.01 in 40 epochs (distance)",
            large,
            large < 0.01,
            part_of_claim=False,
        ),
    )


def run_l74(settings: DecaySettings) -> LabResult:
    rate, factor, epochs = settings.rate, settings.factor, settings.epochs
    decayed, rates = descend(rate, factor, epochs)
    constant, _ = descend(rate, 1.0, epochs)
    large, _ = descend(TOO_LARGE, factor, epochs)
    numbers = {
        "decay: weight at the end": decayed[-1],
        "decay: cost at the end": (decayed[-1] - MINIMUM) ** 2,
        "decay: last rate": rates[-1],
        "constant rate: weight at the end": constant[-1],
        "distance from the minimum, constant rate / decay": abs(constant[-1] - MINIMUM)
        / max(abs(decayed[-1] - MINIMUM), 1e-300),
        "from rate 1: distance from the minimum with decay": abs(large[-1] - MINIMUM),
        "from rate 1: distance from the minimum without": START - MINIMUM,
    }
    picture = _distances({"decay": decayed, "constant rate": constant})
    return LabResult(numbers, decay_criteria(numbers), picture)


def _distances(weights: Mapping[str, list[float]]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, values), colour in zip(weights.items(), (BLUE, ORANGE), strict=True):
            distances = [max(abs(w - MINIMUM), 1e-16) for w in values]
            axis.plot(distances, color=colour, label=name)
        use_log_scale(axis, "y")
        axis.set_title("Distance of the weight from the minimum")
        axis.set_xlabel("epoch")
        axis.set_ylabel("|w + 1|")
        axis.legend()
        return svg(drawing, "Distance from the minimum")


L74 = Lab(
    "L74", lab_texts()["L74"], run_l74, DecaySettings(), stops=("rate", (0.05, 0.2, 0.6, 0.95))
)
