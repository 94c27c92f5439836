"""Settings of networks for tables by the number of samples, and which inputs are numbers."""

from __future__ import annotations

import math

import torch
from hypothesis import given, strategies as st

from netwise.recipe import table_settings

ROWS = st.integers(1, 10**6)


@given(ROWS)
def test_epochs_make_enough_steps_within_their_limits(rows: int) -> None:
    batch_size = table_settings.batch_size_for(rows)
    epochs = table_settings.epochs_for(rows, batch_size)
    steps = epochs * math.ceil(rows / batch_size)
    wanted = [steps for least, steps in table_settings.STEPS if rows >= least][-1]
    assert batch_size <= rows
    assert table_settings.MIN_EPOCHS <= epochs <= table_settings.MAX_EPOCHS
    assert steps >= wanted or epochs == table_settings.MAX_EPOCHS
    if epochs > table_settings.MIN_EPOCHS:  # one epoch fewer would be too few
        assert (epochs - 1) * rows / batch_size < wanted


@given(ROWS, ROWS)
def test_fewer_samples_are_regularised_at_least_as_strongly(one: int, other: int) -> None:
    few, many = sorted((one, other))
    assert table_settings.weight_decay_for(few) >= table_settings.weight_decay_for(many)
    assert table_settings.dropout_for(few, (256,)) >= table_settings.dropout_for(many, (256,))
    assert table_settings.dropout_for(few, (256, 8)) == 0  # a narrow layer is left whole
    assert table_settings.dropout_for(few, ()) == 0


def test_inputs_with_more_than_two_values_are_embedded_unless_there_are_too_many() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(50, 4, generator=g)
    x[:, 1] = (x[:, 1] > 0).float()
    x[:, 3] = 7.0
    assert table_settings.embedded_inputs(x, (8,)) == (0, 2)
    assert table_settings.embedded_inputs(x, ()) == ()
    assert table_settings.embedded_inputs(torch.randn(5, 65, generator=g), (8,)) == ()
    assert table_settings.embedded_inputs(torch.randn(5, 1, 8, 8, generator=g), (8,)) == ()
