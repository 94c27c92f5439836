"""L47: does tanh saturate later than the sigmoid?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import number
from netwise.parts.activations import Sigmoid, Tanh, activation_properties, slope
from netwise.report.pictures.drawing import BLUE, GREY, ORANGE, figure, svg

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class SaturationSettings(LabSettings):
    """What can be varied in L47.

    Args:
        scale: factor on the input of tanh: tanh(scale x). Default 1. At 1/2 it is a sigmoid from -1
            to 1; LeCun 1998 has 2/3.
    """

    scale: float = number(1.0, above=0, most=100, because="at 0 the output is constant")


def saturation_numbers(scale: float) -> dict[str, float]:
    """Where the slopes of sigmoid(x) and tanh(scale x) fall below shares of their largest."""
    sigmoid, tanh = activation_properties(Sigmoid()), activation_properties(Tanh())
    at_1 = float(slope(Sigmoid(), torch.tensor([1.0], dtype=torch.float64)))
    return {
        "sigmoid: |x| at 10 % of the largest slope": sigmoid.below_10_percent,
        "sigmoid: |x| at 1 % of the largest slope": sigmoid.below_1_percent,
        "tanh: |x| at 10 % of the largest slope": tanh.below_10_percent / scale,
        "tanh: |x| at 1 % of the largest slope": tanh.below_1_percent / scale,
        "sigmoid: largest slope": sigmoid.max_slope,
        "tanh: largest slope": tanh.max_slope * scale,
        "sigmoid: slope at 1 / largest": at_1 / sigmoid.max_slope,
    }


def saturation_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    def later(share: str) -> float:
        where = f"|x| at {share} % of the largest slope"
        return numbers[f"tanh: {where}"] / numbers[f"sigmoid: {where}"]

    inside = numbers["sigmoid: slope at 1 / largest"]
    return (
        Criterion(
            "the |x| at which the slope has fallen to 10 % of its largest is larger for tanh "
            "(ratio to the sigmoid's)",
            later("10"),
            later("10") > 1,
        ),
        Criterion(
            "the |x| at which it has fallen to 1 % is larger for tanh (ratio)",
            later("1"),
            later("1") > 1,
        ),
        Criterion(
            "the sigmoid has lost most of its slope at |x| = 1, the end of the interval in which "
            "it is said to be sensitive (share of the largest slope)",
            inside,
            inside < 0.5,
            part_of_claim=False,
        ),
    )


def run_l47(settings: SaturationSettings) -> LabResult:
    numbers = saturation_numbers(settings.scale)
    return LabResult(numbers, saturation_criteria(numbers), _slopes(settings.scale, numbers))


def _slopes(scale: float, numbers: Numbers) -> str:
    x = torch.linspace(-8, 8, 641, dtype=torch.float64)
    name = "tanh(x)" if scale == 1 else f"tanh({scale:g} x)"
    curves = {
        "sigmoid(x)": (slope(Sigmoid(), x) / 0.25, "sigmoid", BLUE),
        name: (slope(Tanh(), scale * x), "tanh", ORANGE),
    }
    with figure(height=3.0) as (drawing, axes):
        axis = axes[0][0]
        for label, (slopes, which, colour) in curves.items():
            end = numbers[f"{which}: |x| at 1 % of the largest slope"]
            axis.plot(x, slopes, color=colour, label=f"{label}: 1 % at |x| = {end:.2f}")
            for sign in (-1, 1):
                axis.axvline(sign * end, color=colour, linestyle="--", linewidth=1, ymax=0.8)
        axis.axhline(0.01, color=GREY, linewidth=0.8)
        axis.set_xlim(-8, 8)
        axis.set_ylim(0, 1.35)
        axis.set_title("Slope of the activation")
        axis.set_xlabel("input x")
        axis.set_ylabel("slope / largest slope")
        axis.legend(loc="upper center", ncols=2, fontsize=8)
        return svg(drawing, "Slopes of sigmoid and tanh")


L47 = Lab(
    "L47", lab_texts()["L47"], run_l47, SaturationSettings(), stops=("scale", (0.5, 0.67, 1.0, 2.0))
)
