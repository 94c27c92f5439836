"""Rungs, against those of Optuna's pruners."""

from __future__ import annotations

import math
from itertools import pairwise

import optuna
from hypothesis import given, strategies as st

import netwise as nw
from netwise.searches.rungs import Rungs

optuna.logging.set_verbosity(optuna.logging.ERROR)
values = st.floats(0, 1) | st.sampled_from([0.25, 0.5, math.nan])


@given(value=values, others=st.lists(values, max_size=12), factor=st.integers(2, 5))
def test_one_of_factor_survives_as_in_optuna(
    value: float, others: list[float], factor: int
) -> None:
    numbers = [0.0 if math.isnan(each) else each + 1 for each in (*others, value)]
    reference = optuna.pruners._successive_halving._is_trial_promotable_to_next_rung(
        numbers[-1], numbers[:], factor, optuna.study.StudyDirection.MAXIMIZE
    )
    assert Rungs(1, factor, 100).survives(value, others) == reference


@given(
    first=st.integers(1, 20),
    factor=st.integers(2, 5),
    epochs=st.integers(1, 500),
    trials=st.integers(1, 60),
)
def test_brackets_of_hyperband_are_those_of_optuna(
    first: int, factor: int, epochs: int, trials: int
) -> None:
    rungs = nw.Hyperband(factor=factor, first=first).rungs(epochs)
    assert rungs is not None
    reference = optuna.pruners.HyperbandPruner(first, max(first, epochs), factor)
    reference._try_initialization(optuna.create_study())
    assert rungs.brackets in (
        len(reference._pruners),
        len(reference._pruners) + 1,
    )  # of a logarithm
    if rungs.brackets == len(reference._pruners):
        period = sum(reference._trial_allocation_budgets)
        if period < 2000:
            drawn = [rungs.bracket(number) for number in range(period)]
            counts = [drawn.count(bracket) for bracket in range(rungs.brackets)]
            assert counts == reference._trial_allocation_budgets
    for number in range(trials):
        steps = rungs.of(number)
        assert all(first <= step < epochs for step in steps)
        assert all(after == before * factor for before, after in pairwise(steps))
        assert not steps or steps[0] == first * factor ** rungs.bracket(number)
