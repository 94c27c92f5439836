"""L33 with given accuracies; its criteria can fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.normalization import norm_place
from netwise.labs.normalization.norm_place import BLOCKS, SETS, criteria
from netwise.labs.record import recorded

Made = Callable[[float, int], nw.Recipe]


def test_l33_is_confirmed_where_both_places_gain_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def scores(recipe_at: Made, rates: Sequence[float], seeds: int) -> tuple[float, list[float]]:
        normed = "B" in recipe_at(rates[0], 0).network.block
        return rates[0], [0.4 + 0.05 * normed + 0.001 * seed for seed in range(seeds)]

    monkeypatch.setattr(norm_place, "tuned", scores)
    result, old = nw.lab("L33").run(), recorded("L33")
    assert old is not None
    assert list(result.numbers) == list(old["numbers"])
    assert dict(result.recipes) == old["recipes"]
    assert all(criterion.holds for criterion in result.criteria)


def test_the_criteria_can_fail() -> None:
    numbers = {}
    for name in SETS:
        for end, value in (("mean", 2.0), ("low", 1.5), ("high", 2.5)):
            numbers[f"{name}, before - after, points, {end}"] = value
        for place in BLOCKS:
            numbers[f"{name}, {place}: gain over none, points"] = -1.0
    assert LabResult({}, criteria(numbers), "").verdict == "refuted"
    assert not any(criterion.holds for criterion in criteria(numbers))
