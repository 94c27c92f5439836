"""Criteria of L55 can fail."""

from __future__ import annotations

from netwise.labs.rates.rate_and_batch import BATCHES, RATES, grid_criteria, pair, surface


def table(by_rate: tuple[float, ...], slope: float = 0.0) -> dict[str, float]:
    return {
        pair(rate, batch): value + slope * column * (row - 2)
        for row, (rate, value) in enumerate(zip(RATES, by_rate, strict=True))
        for column, batch in enumerate(BATCHES)
    }


def test_each_criterion_can_fail() -> None:
    flat = table((90.0, 90.0, 90.0, 90.5, 91.0))
    assert [c.holds for c in grid_criteria(flat)] == [True, False, False, True]
    steep = table((12.0, 30.0, 70.0, 92.0, 91.8), slope=0.2)
    assert [c.holds for c in grid_criteria(steep)] == [False, True, True, True]
    uneven = table((12.0, 30.0, 70.0, 92.0, 90.0), slope=1.0)
    assert [c.holds for c in grid_criteria(uneven)] == [False, True, True, False]


def test_the_surface_has_a_row_for_each_rate() -> None:
    values = surface(table((1.0, 2.0, 3.0, 4.0, 5.0)))
    assert values.shape == (len(RATES), len(BATCHES))
    assert values[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
