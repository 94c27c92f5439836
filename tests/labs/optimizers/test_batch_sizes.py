"""L44 with given runs; its criteria can fail."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.optimizers import batch_sizes
from netwise.labs.optimizers.batch_sizes import ARMS, criteria


def test_the_rate_of_an_arm_is_the_one_that_gets_there_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def passes(recipe: nw.Recipe) -> tuple[Sequence[float], float]:
        count = {2500: 40, 10: 2, 1: 2}[recipe.batch_size]
        best = recipe.optimizer.lr in (0.3, 0.01)
        return [0.5] * (count - 1 if best else count) + [0.9], float(count)

    monkeypatch.setattr(batch_sizes, "passes", passes)
    result = nw.lab("L44").run()
    assert [result.numbers[f"{name}: rate"] for name in ARMS] == [0.3, 0.3, 0.01]
    assert result.numbers["passes, all samples / batches of 10, mean"] == 20
    assert result.verdict == "confirmed"


def test_the_criteria_can_fail() -> None:
    numbers = {f"{name}: seconds of one core": 1.0 for name in ARMS}
    numbers |= dict(zip((f"{name}: passes to 85 %" for name in ARMS), (9, 2, 1), strict=True))
    numbers["passes, all samples / batches of 10, low"] = 4.0
    assert not any(criterion.holds for criterion in criteria(numbers))
    numbers["all samples: passes to 85 %"] = 30.0
    assert LabResult({}, criteria(numbers), "").verdict == "confirmed"
