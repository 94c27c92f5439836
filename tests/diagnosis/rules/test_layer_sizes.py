"""Sizes of weights and steps by layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest

import netwise as nw
from histories import LAYERS, history
from netwise import signals
from netwise.diagnosis.rules import layer_sizes


def test_gains_are_one_for_weights_of_unit_rows() -> None:
    rows = [[math.sqrt(30), 9.0], [0.0, 1.0]]
    run = history({signals.WEIGHT_NORM: rows})
    assert layer_sizes.gains(run) == {"layer1": pytest.approx(1.0)}
    assert layer_sizes.norm_changes(run) == {"layer1": pytest.approx(9 / math.sqrt(30))}


def test_norms_of_more_than_one_matrix_are_no_gains() -> None:
    """The layers of the network that is suggested for tables start as others do."""
    layers = (nw.Layer("layer1", "MemberLinear", 4, 9), nw.Layer("layer2", "Linear", 9, 1))
    run = history({signals.WEIGHT_NORM: [[90.0], [1.0]]}).but(layers=layers)
    assert list(layer_sizes.gains(run)) == ["layer2"]


def test_the_longest_step_is_not_that_of_weights_that_start_near_zero() -> None:
    norms = [[math.sqrt(30)] * 3, [0.001] * 3]
    run = history({signals.WEIGHT_NORM: norms, signals.UPDATE_RATIO: [[0.1, 0.4, 0.9], [7.0] * 3]})
    assert layer_sizes.largest_update(run, early=2) == ("layer1", 0.4)


def test_updates_of_steps_that_change_nothing_do_not_count() -> None:
    run = history({signals.UPDATE_RATIO: [[0.0, 0.0, 0.0, 0.2, 0.4]]})
    assert layer_sizes.usual_updates(run) == {"layer1": pytest.approx(0.3)}


def test_the_way_of_the_layer_that_moved_most() -> None:
    run = history({signals.WEIGHT_DISTANCE: [[0.0, 0.1], [0.0, 0.3]]})
    assert layer_sizes.farthest(run) == 0.3
    assert layer_sizes.farthest(history()) is None


@pytest.mark.parametrize(
    ("rates", "rises"),
    [
        ([1e-4 * k for k in range(1, 9)], True),
        ([1e-4 * k for k in range(1, 8)] + [1e-4], False),  # it falls again
        ([1e-4] * 4 + [3e-4] * 4, False),  # one jump
        ([1e-4, 1.1e-4, 1.2e-4, 1.3e-4, 1.4e-4], False),  # hardly
        ([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4], True),  # once an epoch
        ([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4], False),  # and then level
        ([0, 0, 0, 1, 1, 1, 2, 2, 2], False),  # too few values
        ([0, 0, 1, 1, 2, 2, 1, 1, 3, 3, 4, 4], False),  # it fell
    ],
)
def test_a_rate_that_still_rises(rates: list[float], rises: bool) -> None:
    assert layer_sizes.still_rises(history(whole={signals.RATE: rates})) is rises


def test_steps_that_turn_back_and_steps_that_do_not() -> None:
    steps = (0, 1, 2, 3, 5, 8, 12, 17, 23, 30, 38, 47, 57)
    gaps = [1, *(after - before for before, after in pairwise(steps))]

    def reversed_by(cosine: Callable[[int], float]) -> float:
        values = tuple(cosine(gap) for gap in gaps)
        series = {(signals.UPDATE_COSINE, "layer1"): nw.Series(steps, values)}
        return layer_sizes.reversal(nw.History(series, LAYERS))[1]

    assert reversed_by(lambda gap: 0.9 * (-1) ** gap) == pytest.approx(0.9)  # to and fro
    assert reversed_by(lambda gap: 0.9) < 0.3  # straight on
    assert reversed_by(lambda gap: -0.1) < 0.3
    assert layer_sizes.reversal(nw.History({}, LAYERS)) == ("", 0.0)


def test_at_even_distances_alone_steps_are_not_known_to_turn_back() -> None:
    series = {(signals.UPDATE_COSINE, "layer1"): nw.Series(tuple(range(0, 200, 10)), (1.0,) * 20)}
    assert layer_sizes.reversal(nw.History(series, LAYERS)) == ("", 0.0)
