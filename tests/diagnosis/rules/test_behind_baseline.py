"""Networks that are worse than a simple model on the same split."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.diagnosis.rules.behind_baseline import behind_baseline


def history(beside: nw.BesideBaseline | None) -> nw.History:
    facts = nw.RunFacts(task="regression", baseline=beside)
    return nw.History({}, facts=facts, made_by=nw.Provenance(recipe="abc"))


def test_a_better_model_is_found_with_both_scores() -> None:
    beside = nw.BesideBaseline("gradient boosting", "r2", 0.98, 0.11, 0.02, 0.2)
    found = behind_baseline(history(beside))
    assert isinstance(found, nw.Finding)
    assert found.sentence == (
        "Gradient boosting is better than the network on the same split: R² 0.980 against 0.110 "
        "(95 % interval 0.020 to 0.200; validation part)."
    )


def test_of_an_error_less_is_better() -> None:
    better = nw.BesideBaseline("a linear model", "mae", 1.0, 3.0, 2.5, 3.5, higher_is_better=False)
    worse = nw.BesideBaseline("a linear model", "mae", 5.0, 3.0, 2.5, 3.5, higher_is_better=False)
    assert isinstance(behind_baseline(history(better)), nw.Finding)
    assert behind_baseline(history(worse)) is None


@pytest.mark.parametrize("score", [0.5, 0.55])
def test_a_model_within_the_interval_or_below_is_none(score: float) -> None:
    beside = nw.BesideBaseline("a linear model", "accuracy", score, 0.52, 0.45, 0.6)
    assert behind_baseline(history(beside)) is None


def test_without_baselines_it_is_not_checked() -> None:
    assert isinstance(behind_baseline(history(None)), nw.Unchecked)
