"""Axes and spaces: values by shares and back, what they change, what cannot be; methods by
themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

import netwise as nw

RECIPE = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
AXES = [
    nw.axes.Linear("x", -2.0, 5.0),
    nw.axes.Log("x", 1e-4, 10.0),
    nw.axes.Integer("x", 3, 40),
    nw.axes.Integer("x", 2, 512, log=True),
]


@given(st.sampled_from(AXES), st.floats(0, 1))
def test_a_value_lies_where_it_was_asked_for(axis: nw.axes.Axis, share: float) -> None:
    value = axis.value_at(share)
    assert axis.low <= value <= axis.high
    back = axis.fraction_of(value)
    step = (
        0.0
        if isinstance(value, float)
        else max(
            abs(axis.fraction_of(value + 1) - back), abs(back - axis.fraction_of(max(1, value - 1)))
        )
    )
    assert abs(back - share) <= step + 1e-9


@given(st.sampled_from(AXES), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_a_narrower_axis_holds_its_values_and_lies_within(
    axis: nw.axes.Axis, shares: list[float]
) -> None:
    values = [axis.value_at(share) for share in shares]
    narrow = axis.narrowed_to(values, 0.1)
    assert axis.low <= narrow.low < narrow.high <= axis.high
    assert all(narrow.low - 1e-9 <= value <= narrow.high + 1e-9 for value in values)


def test_a_logarithmic_axis_gives_each_decade_its_share() -> None:
    import optuna

    trial = [optuna.distributions.FloatDistribution(1e-4, 1.0, log=True)]
    rng = optuna.samplers.RandomSampler(seed=0)
    drawn = [rng.sample_independent(None, None, "x", trial[0]) for _ in range(4000)]
    assert np.histogram(np.log10(drawn), bins=[-4, -3, -2, -1, 0])[0].min() > 900
    assert nw.axes.Log("x", 1e-4, 1.0).value_at(0.75) == 0.1


@pytest.mark.parametrize(
    ("field", "value", "seen"),
    [
        ("optimizer.lr", 0.5, lambda r: r.optimizer.lr),
        ("rate", 0.5, lambda r: r.optimizer.lr),
        ("batch_size", 7, lambda r: r.batch_size),
        ("network.dropout", 0.25, lambda r: r.network.dropout),
        ("network.activation", "Tanh", lambda r: type(r.network.activation).__name__),
        ("penalty.kind", "L2", lambda r: type(r.penalty).__name__),
    ],
)
def test_an_axis_changes_its_field_and_nothing_else(
    field: str, value: object, seen: object
) -> None:
    changed = nw.axes.Choice(field, (value, "other")).apply(RECIPE, value)
    assert seen(changed) == value
    assert len(nw.recipe_diff(RECIPE, changed)) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nw.axes.Log("x", 0.0, 1.0), "no logarithm"),
        (lambda: nw.axes.Linear("x", 2.0, 1.0), "must be above low"),
        (lambda: nw.axes.Integer("x", 0, 10, log=True), "at least 1"),
        (lambda: nw.axes.Choice("x", ("a",)), "at least two"),
        (
            lambda: nw.Space((nw.axes.Linear("x", 0, 1), nw.axes.Linear("x", 0, 2))),
            "is the name of two axes",
        ),
        (
            lambda: nw.Space(
                (nw.axes.Linear("x", 0, 1, when="y", among=(1,)), nw.axes.Choice("y", (1, 2)))
            ),
            "Move that axis up",
        ),
        (lambda: nw.axes.Linear("x", 0, 1, when="y"), "go together"),
        (
            lambda: nw.SearchPlan(space=nw.Space((nw.axes.Linear("x", 0, 1),)), folds=1),
            "no cross-validation",
        ),
    ],
)
def test_an_axis_that_cannot_be_is_refused(make: object, message: str) -> None:
    with pytest.raises(nw.WrongValue, match=message):
        make()
