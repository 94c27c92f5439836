"""The choice of the penalty's weight, and criteria that can fail."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.labs.features.sparse_codes import (
    PLAIN,
    SparseCodeSettings,
    chosen_arm,
    sparsity_arms,
    sparsity_criteria,
)
from netwise.labs.lab_definition import LabResult


def test_arms_differ_in_the_weight_of_the_penalty() -> None:
    arms = sparsity_arms(SparseCodeSettings(weights=(0.01, 0.1)))
    assert list(arms) == [PLAIN, "weight 0.01", "weight 0.1"]
    for name in ("weight 0.01", "weight 0.1"):
        assert nw.recipe_diff(arms[PLAIN], arms[name]).keys() == {"network.sparsity"}


def test_the_smallest_penalty_that_reaches_the_target_is_chosen() -> None:
    means = {PLAIN: 0.05, "weight 0.01": 0.2, "weight 0.1": 0.06, "weight 1": 0.05}
    assert chosen_arm(means, 0.05) == "weight 0.1"
    assert chosen_arm(means, 0.5) == "weight 0.01"  # none reaches it: the nearest


SPARSITY = {
    "chosen: mean of the code": 0.051,
    "chosen: share below 0.1": 0.9,
    "chosen: squared error over that without penalty": 1.2,
}


@pytest.mark.parametrize(
    ("number", "bad"),
    [
        ("chosen: mean of the code", 0.09),
        ("chosen: share below 0.1", 0.7),
        ("chosen: squared error over that without penalty", 1.6),
    ],
)
def test_one_bad_number_fails_one_criterion(number: str, bad: float) -> None:
    assert all(criterion.holds for criterion in sparsity_criteria(SPARSITY))
    result = LabResult({}, sparsity_criteria({**SPARSITY, number: bad}), "", {})
    assert result.verdict == "partly confirmed"
    assert [c.value for c in result.criteria if not c.holds] == [bad]
