"""Axes and spaces: values by shares and back, what they change, what cannot be; methods by
themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise.searches.methods import METHODS
from netwise.searches.plan_file import plan_from_dict, plan_text

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
    assert axis.low <= value <= axis.high  # type: ignore[attr-defined]
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
    assert axis.low <= narrow.low < narrow.high <= axis.high  # type: ignore[attr-defined]
    assert all(narrow.low - 1e-9 <= value <= narrow.high + 1e-9 for value in values)  # type: ignore[attr-defined]


def test_a_logarithmic_axis_gives_each_decade_its_share() -> None:
    import optuna

    trial = [optuna.distributions.FloatDistribution(1e-4, 1.0, log=True)]
    rng = optuna.samplers.RandomSampler(seed=0)
    drawn = [rng.sample_independent(None, None, "x", trial[0]) for _ in range(4000)]  # type: ignore[arg-type]
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
    assert seen(changed) == value  # type: ignore[operator]
    assert len(nw.recipe_diff(RECIPE, changed)) == 1


def test_width_and_depth_are_words_for_an_mlp() -> None:
    space = nw.Space((nw.axes.Integer("depth", 1, 4), nw.axes.Integer("width", 8, 64)))
    assert space.apply(RECIPE, {"depth": 3, "width": 20}).network.widths == (64, 20, 20, 20, 10)  # type: ignore[attr-defined]
    images = RECIPE.but(network=nw.ConvNet(image=(1, 8, 8), classes=10, channels=(4,)))
    with pytest.raises(nw.WrongValue, match="a word for an MLP"):
        space.apply(images, {"width": 20})
    with pytest.raises(nw.UnknownName, match="Did you mean"):
        space.apply(RECIPE, {"widht": 20})


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
def test_what_cannot_be_is_told(make: object, message: str) -> None:
    with pytest.raises(nw.WrongValue, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.__name__)
def test_every_plan_goes_through_its_file(method: type[nw.SearchMethod]) -> None:
    import tomllib

    axes = (
        nw.axes.Choice("optimizer.kind", ("SGD", "Adam")),
        nw.axes.Log("optimizer.lr", 1e-4, 1.0, when="optimizer.kind", among=("SGD",)),
    )
    plan = nw.SearchPlan(space=nw.Space(axes), method=method(), trials=7, folds=3, seed=5)
    assert plan_from_dict(tomllib.loads(plan_text(plan))) == plan


def test_a_model_and_its_improvement_are_those_of_the_closed_form() -> None:
    """Expected improvement against an integral by brute force."""
    space = nw.Space((nw.axes.Linear("x", 0.0, 1.0),))
    tried = [
        nw.TrialRecord(i, 0, {"x": x}, value=math.sin(6 * x))
        for i, x in enumerate(np.linspace(0, 1, 9))
    ]
    model = nw.surrogate(space, tried, ("x",), points=51)
    best = max(t.value for t in tried if t.value is not None)
    place = 17
    draws = np.random.default_rng(0).normal(model.mean[place], model.std[place], 400_000)
    assert model.improvement[place] == pytest.approx(np.maximum(draws - best, 0).mean(), abs=2e-3)
    assert abs(model.mean[model.mean.argmax()] - 1) < 0.05
    with pytest.raises(ValueError, match="too few"):
        nw.surrogate(space, tried[:3], ("x",))


def test_importance_finds_the_axis_that_matters() -> None:
    space = nw.Space(
        (
            nw.axes.Log("a", 1e-3, 1.0),
            nw.axes.Linear("b", 0.0, 1.0),
            nw.axes.Choice("c", ("x", "y")),
        )
    )
    rng = np.random.default_rng(0)
    tried = []
    for i in range(60):
        point = {
            "a": float(10 ** rng.uniform(-3, 0)),
            "b": float(rng.random()),
            "c": str(rng.choice(["x", "y"])),
        }
        tried.append(
            nw.TrialRecord(i, 0, point, value=float(np.log10(point["a"]) + 0.1 * point["b"]))
        )
    found = nw.importance(space, tried)
    assert list(found)[0] == "a"
    assert found["a"] > 0.8
    assert sum(found.values()) == pytest.approx(1, abs=0.05)
