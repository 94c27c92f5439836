"""Counts of class numbers against torch's `bincount`."""

from __future__ import annotations

import torch

from netwise.observe.class_counts import MOST_WAITING, ClassCounts


def test_counts_are_those_of_all_numbers() -> None:
    numbers = torch.randint(-50, 900, (200, 300), generator=torch.Generator().manual_seed(0))
    counts = ClassCounts()
    for part in numbers:
        counts.add(part)
    values, shares = counts.distribution()
    expected, frequency = numbers.unique(return_counts=True)
    assert torch.equal(values, expected.double())
    assert torch.equal(shares, frequency.double() / numbers.numel())
    assert counts.classes == len(expected)
    assert counts.other == 0


def test_what_waits_is_bounded() -> None:
    counts = ClassCounts()
    for _ in range(2000):
        counts.add(torch.tensor([3, 5]))
        assert sum(len(values) for values in counts._waiting) <= MOST_WAITING
        assert len(counts._waiting) <= 300
    assert counts.distribution()[1].tolist() == [0.5, 0.5]


def test_nothing_was_counted() -> None:
    counts = ClassCounts()
    assert (counts.classes, counts.other, counts.enough(1)) == (0, 0, False)
    counts.add(torch.zeros(0, dtype=torch.int64))
    assert (counts.classes, counts.enough(1)) == (0, False)


def test_enough_are_so_many_for_each_class() -> None:
    counts = ClassCounts()
    counts.add(torch.tensor([1, 1, 1, 2]))
    assert counts.enough(2)
    assert not counts.enough(3)


def test_more_classes_than_are_counted() -> None:
    counts = ClassCounts(most=10)
    for _ in range(20):
        counts.add(torch.cat([torch.arange(10).repeat(10), torch.arange(100, 130)]))
    assert counts.classes == 10
    assert counts.other + 20 * 100 == 20 * 130
    assert not counts.enough(1)
    rare = ClassCounts(most=10)
    rare.add(torch.cat([torch.arange(10).repeat(100), torch.arange(100, 105)]))
    assert rare.enough(5)
    assert (rare.classes, rare.other) == (10, 5)
