"""Settings of the estimators by the number of samples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise.estimators import defaults

ROWS = st.integers(1, 10**6)


@given(ROWS)
def test_epochs_make_enough_steps_within_their_limits(rows: int) -> None:
    batch_size = defaults.batch_size_for(rows)
    epochs = defaults.epochs_for(rows, batch_size)
    steps = epochs * math.ceil(rows / batch_size)
    assert batch_size <= rows
    assert defaults.MIN_EPOCHS <= epochs <= defaults.MAX_EPOCHS
    assert steps >= defaults.STEPS or epochs == defaults.MAX_EPOCHS
    if epochs > defaults.MIN_EPOCHS:  # one epoch fewer would be too few
        assert (epochs - 1) * rows / batch_size < defaults.STEPS


@given(ROWS, ROWS)
def test_fewer_samples_are_regularised_at_least_as_strongly(one: int, other: int) -> None:
    few, many = sorted((one, other))
    assert defaults.weight_decay_for(few) >= defaults.weight_decay_for(many)
    assert defaults.dropout_for(few, (256,)) >= defaults.dropout_for(many, (256,))
    assert defaults.dropout_for(few, (256, 8)) == 0  # a narrow layer is left whole
    assert defaults.dropout_for(few, ()) == 0


@pytest.mark.parametrize(
    ("setting", "rows", "fraction", "expected"),
    [
        ("auto", 9_999, 0.1, False),
        ("auto", 10_000, 0.1, True),
        (True, 10, 0.1, True),
        (True, 9, 0.1, False),  # a tenth of nine samples is none
        (False, 10**6, 0.1, False),
    ],
)
def test_a_part_is_held_out_where_it_pays(
    setting: bool | str, rows: int, fraction: float, expected: bool
) -> None:
    assert defaults.holds_out(setting, rows, fraction) is expected


def test_activations_by_name_and_their_initial_weights() -> None:
    assert defaults.activation_of("ReLU") == nw.ReLU()
    assert defaults.activation_of("logistic") == nw.Sigmoid()
    assert defaults.initializer_for(nw.GELU()) == nw.He()
    assert defaults.initializer_for(nw.Tanh()) == nw.Glorot()
    with pytest.raises(ValueError, match="must be one of .*Did you mean `tanh`"):
        defaults.activation_of("tanhh")
