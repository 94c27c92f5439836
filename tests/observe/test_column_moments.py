"""Moments that are added batch by batch against those of all rows at once."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from netwise.observe.column_moments import Moments, TargetMoments


def draw(*shape: int, seed: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("batch", [1, 7, 100])
def test_moments_do_not_depend_on_the_batches(batch: int) -> None:
    rows, moments = draw(100, 5) * 3 + 1e6, Moments()
    for part in rows.split(batch):
        moments.add(part)
    assert torch.allclose(moments.mean, rows.mean(0), rtol=1e-14)
    assert torch.allclose(moments.variance, rows.var(0, unbiased=False), rtol=1e-8)
    assert moments.pooled() == pytest.approx((float(rows.mean()), float(rows.std(unbiased=False))))
    assert (moments.numbers, moments.fewest) == (500, 100)


def test_what_is_not_finite_does_not_count() -> None:
    rows, moments = draw(60, 2), Moments()
    rows[::4, 0], rows[5, 1] = float("nan"), float("-inf")
    for part in rows.split(16):
        moments.add(part)
    for column, mean, variance in zip(rows.T, moments.mean, moments.variance, strict=True):
        finite = column[column.isfinite()]
        assert float(mean) == pytest.approx(float(finite.mean()))
        assert float(variance) == pytest.approx(float(finite.var(unbiased=False)))
    assert (moments.numbers, moments.fewest) == (104, 45)


def test_merging_and_joining() -> None:
    one, other, both = Moments(), Moments(), Moments()
    one.add(draw(30, 2))
    other.add(draw(50, 2, seed=4))
    both.merge(Moments())
    both.merge(one)
    both.merge(other)
    both.merge(Moments())
    rows = torch.cat([draw(30, 2), draw(50, 2, seed=4)])
    assert torch.allclose(both.mean, rows.mean(0))
    both.join_columns()
    assert float(both.variance) == pytest.approx(float(rows.var(unbiased=False)))
    assert both.numbers == 160


def test_no_rows() -> None:
    moments = Moments()
    assert (moments.numbers, moments.fewest) == (0, 0)
    moments.add(torch.zeros(0, 3, dtype=torch.float64))
    assert (moments.numbers, moments.fewest) == (0, 0)


def test_medians_are_those_of_a_uniform_sample() -> None:
    """More rows than are kept: the kept ones are from all parts."""
    rows, moments = torch.linspace(0, 1, 200_000, dtype=torch.float64)[:, None], TargetMoments()
    for part in rows.split(1000):
        moments.add_targets(part, (1,))
    assert moments.distance_from_median() == pytest.approx(0.25, rel=0.02)
    assert sum(len(part) for part in moments._kept) <= 2 * 16_384


def test_sums_that_losses_need() -> None:
    shares, moments = draw(90, 4).softmax(1), TargetMoments()
    for part in shares.split(20):
        moments.add_targets(part, (4,))
    assert torch.allclose(moments.mean_xlogx, torch.xlogy(shares, shares).mean(0))
    binary = -torch.xlogy(shares, shares) - torch.xlogy(1 - shares, 1 - shares)
    assert moments.mean_binary_entropy() == pytest.approx(float(binary.mean()))
    assert moments.are_distributions
    assert not moments.one_hot
    assert (moments.low, moments.high) == (float(shares.min()), float(shares.max()))
