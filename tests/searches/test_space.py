"""Spaces: which axes are active, and what their values do to a recipe."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

import netwise as nw

RECIPE = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
SPACE = nw.Space(
    (
        nw.axes.Choice("optimizer.kind", ("Momentum", "Adam")),
        nw.axes.Linear("optimizer.momentum", 0.0, 0.9, when="optimizer.kind", among=("Momentum",)),
        nw.axes.Choice("network.widths", ((64, 10), (64, 30, 10))),
    )
)


class FakeTrial:
    """Suggests the value at a fraction of each axis, and notes what was asked."""

    def __init__(self, fraction: float) -> None:
        self.fraction, self.params = fraction, dict[str, object]()

    def suggest_float(self, name: str, low: float, high: float, log: bool) -> float:
        self.params[name] = low + self.fraction * (high - low)
        return low + self.fraction * (high - low)

    def suggest_categorical(self, name: str, labels: list[object]) -> object:
        self.params[name] = labels[min(len(labels) - 1, int(self.fraction * len(labels)))]
        return self.params[name]


def test_width_and_depth_change_the_hidden_layers_of_an_mlp() -> None:
    space = nw.Space((nw.axes.Integer("depth", 1, 4), nw.axes.Integer("width", 8, 64)))
    assert space.apply(RECIPE, {"depth": 3, "width": 20}).network.widths == (64, 20, 20, 20, 10)
    images = RECIPE.but(network=nw.ConvNet(image=(1, 8, 8), classes=10, channels=(4,)))
    with pytest.raises(nw.WrongValue, match="a word for an MLP"):
        space.apply(images, {"width": 20})
    with pytest.raises(nw.UnknownName, match="Did you mean"):
        space.apply(RECIPE, {"widht": 20})


@given(st.floats(0, 1))
def test_what_optuna_stored_is_the_point_that_was_suggested(fraction: float) -> None:
    trial = FakeTrial(fraction)
    point = SPACE.suggest(trial)
    assert SPACE.point_of(trial.params) == point
    assert SPACE.labels(point) == trial.params
    assert ("optimizer.momentum" in point) == (point["optimizer.kind"] == "Momentum")
    changed = SPACE.apply(RECIPE, point)
    assert type(changed.optimizer).__name__ == point["optimizer.kind"]
    assert changed.network.widths == point["network.widths"]


def test_an_axis_is_found_by_name() -> None:
    assert SPACE.axis("network.widths") is SPACE.axes[2]
    with pytest.raises(nw.UnknownName, match="Did you mean `network.widths`"):
        SPACE.axis("network.width")


def test_an_empty_space_is_refused() -> None:
    with pytest.raises(nw.WrongValue, match="a search needs at least one"):
        nw.Space(())
