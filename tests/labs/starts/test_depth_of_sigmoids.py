"""L79: its arms differ in depth and start alone; its criteria can fail."""

from __future__ import annotations

import pytest

from netwise.labs.lab_definition import LabResult
from netwise.labs.starts.depth_of_sigmoids import DEPTHS, DepthSettings, depth_arms, depth_criteria


def test_arms_have_as_many_hidden_layers_as_their_name_says() -> None:
    arms = depth_arms(DepthSettings(width=7))
    assert len(arms) == 2 * len(DEPTHS)
    for name, recipe in arms.items():
        assert recipe.network.widths == (784, *(7,) * int(name.split(", ")[1]), 10)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rise", "deep", "verdict"),
    [(50, 88, "confirmed"), (50, 30, "partly confirmed"), (-2, 5, "refuted")],
)
def test_l79_can_be_confirmed_and_refuted(rise: float, deep: float, verdict: str) -> None:
    numbers = {
        "sigmoid: rise of the training error from 1 to 4 layers, low": rise,
        "sigmoid, 6: training error in %": deep,
        "ReLU, 6: training error in %": 5.0,
    }
    assert LabResult({}, depth_criteria(numbers), "").verdict == verdict
