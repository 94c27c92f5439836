"""Losses over steps in bounded memory."""

from __future__ import annotations

import math
from statistics import mean

from hypothesis import given, strategies as st

from netwise.observe.loss_record import MOST_VALUES, LossRecord


def record_of(values: list[float]) -> LossRecord:
    record = LossRecord()
    for step, value in enumerate(values):
        record.add(step, value)
    return record


def test_few_steps_are_kept_as_they_are() -> None:
    assert record_of([3.0, 2.0, 1.5]).values == [(0, 3.0), (1, 2.0), (2, 1.5)]


@given(st.integers(1, 5000))
def test_memory_is_bounded_and_each_value_is_the_mean_of_its_interval(count: int) -> None:
    record = record_of([float(step) for step in range(count)])
    assert len(record.values) < MOST_VALUES
    begin = 0
    for step, value in record.values:
        assert value == mean(range(begin, step + 1))
        begin = step + 1
    assert count - begin < max(1, 2 * count / MOST_VALUES)


def test_the_mean_since_the_last_call() -> None:
    record = record_of([1.0, 3.0, math.nan])
    assert record.take_mean() == 2.0
    assert record.take_mean() is None
    record.add(3, 7.0)
    assert record.take_mean() == 7.0


def test_new_values_are_taken_once() -> None:
    record = record_of([1.0, 3.0])
    assert record.take_new() == [(0, 1.0), (1, 3.0)]
    assert record.take_new() == []


def test_a_value_that_is_not_finite_is_kept() -> None:
    assert math.isnan(record_of([1.0, math.nan]).values[-1][1])


def test_new_values_that_nobody_takes_are_bounded() -> None:
    record = record_of([1.0] * 100_000)
    assert len(record.take_new()) == MOST_VALUES
    assert record.add(100_000, 1.0) is False  # an interval is many steps by now
    assert LossRecord().add(0, 1.0) is True
