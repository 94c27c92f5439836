"""Channels in the place of another axis."""

from __future__ import annotations

from typing import Any

import pytest

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.convolved_axis import axes_exchanged


def run(shape: tuple[int, ...] | None, final: float = 2.3, **facts: Any) -> nw.History:
    places = (1.0,) * (len(shape or ()) - 2)
    known = {"convolved_by": "conv1", "channels_alike": 0.9, "places_alike": places, **facts}
    return history(final=final).but(first_batch=nw.FirstBatch(convolved=shape, **known))


@pytest.mark.parametrize(
    ("shape", "order"),
    [((30, 60, 3), "0, 2, 1"), ((30, 60, 2), "0, 2, 1"), ((16, 28, 28, 1), "0, 3, 1, 2")],
)
def test_inputs_with_their_channels_last(shape: tuple[int, ...], order: str) -> None:
    finding = found(axes_exchanged(run(shape)))
    assert f"conv1 gets {shape}" in finding.sentence
    assert order in finding.change
    assert finding.grade == "cause"


def test_a_sign_is_no_cause_where_neighbours_are_not_alike_or_the_run_learns() -> None:
    assert found(axes_exchanged(run((30, 60, 3), channels_alike=0.1))).grade == "suspect"
    assert found(axes_exchanged(run((30, 60, 3), final=0.1))).grade == "suspect"


def test_many_sensors_are_told_by_what_is_alike() -> None:
    assert found(axes_exchanged(run((30, 60, 9), places_alike=(0.1,)))).grade == "cause"
    assert axes_exchanged(run((30, 60, 9), places_alike=(0.8,))) is None
    assert axes_exchanged(run((30, 60, 9), places_alike=(0.1,), channels_alike=0.3)) is None


@pytest.mark.parametrize("shape", [(30, 3, 60), (30, 3, 28, 28), (30, 64, 20), (30, 60, 1), ()])
def test_inputs_as_torch_wants_them(shape: tuple[int, ...]) -> None:
    assert axes_exchanged(run(shape)) is None


def test_a_module_that_was_not_asked() -> None:
    assert isinstance(axes_exchanged(run(None)), nw.Unchecked)
