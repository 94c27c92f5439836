"""Splits by group and by time are partitions in which no group is in two parts, and no part is
earlier than one before it; folds keep to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import netwise as nw
from netwise.data.dataset import split_rows
from netwise.data.splitting import (
    GROUP,
    TIME,
    SplitKey,
    cut_by_class,
    cut_by_group,
    cut_by_time,
    fold_rows,
)

KEYS = st.lists(st.integers(-3, 40), min_size=12, max_size=200).filter(lambda k: len(set(k)) >= 8)
SHARES = st.sampled_from([0.1, 0.2, 0.3])


@given(KEYS, SHARES, SHARES, st.integers(0, 5), st.booleans())
def test_no_group_is_in_two_parts(
    groups: list[int], valid: float, test: float, seed: int, labelled: bool
) -> None:
    group = np.array(groups)
    labels = np.arange(len(group)) % 3 if labelled else None
    data = nw.data.iris(valid=valid, test=test, split_seed=seed)
    parts = split_rows(labels, len(group), data, key=SplitKey(GROUP, group))
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(group)))
    assert all(len(part) for part in parts)
    assert sum(len(set(group[part])) for part in parts) == len(set(groups))
    again = split_rows(labels, len(group), data, key=SplitKey(GROUP, group))
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))


@given(KEYS, SHARES, SHARES)
def test_parts_by_time_follow_each_other(times: list[int], valid: float, test: float) -> None:
    time = np.array(times)
    data = nw.data.iris(valid=valid, test=test)
    train, validation, last = split_rows(None, len(time), data, key=SplitKey(TIME, time))
    assert time[train].max() < time[validation].min()
    assert time[validation].max() < time[last].min()
    assert sorted([*train, *validation, *last]) == list(range(len(time)))


def test_without_ties_the_latest_share_is_the_test_part() -> None:
    time = np.random.default_rng(0).permutation(100)
    parts = split_rows(None, 100, nw.data.iris(), key=SplitKey(TIME, time))
    assert [sorted(time[part]) for part in parts] == [
        list(range(60)),
        list(range(60, 80)),
        list(range(80, 100)),
    ]


def test_groups_of_unequal_size_give_parts_of_the_wanted_size_and_classes() -> None:
    """Twenty patients with a diagnosis each and 9 to 202 rows: random patients alone would give
    parts of other sizes, and of other shares of the sick."""
    generator = np.random.default_rng(0)
    group = np.repeat(np.arange(40), generator.geometric(0.02, 40))
    labels = group % 2
    for seed in range(3):
        parts = split_rows(
            labels, len(group), nw.data.iris(split_seed=seed), key=SplitKey(GROUP, group)
        )
        for part in parts[1:]:
            assert abs(len(part) / len(group) - 0.2) < 0.03
            assert abs(labels[part].mean() - labels.mean()) < 0.1


def test_another_seed_draws_other_groups() -> None:
    group = np.repeat(np.arange(40), 5)
    one, other = (cut_by_group(np.arange(200), 40, group, None, seed)[1] for seed in (0, 1))
    assert set(group[one]) != set(group[other])


def test_many_groups_and_classes_are_split_too() -> None:
    group, labels = np.arange(30_000) // 2, np.arange(30_000) % 1000
    rest, part = cut_by_group(np.arange(30_000), 6000, group, labels, 0)
    assert abs(len(part) - 6000) <= 2
    assert not set(group[rest]) & set(group[part])


def test_one_group_or_one_time_is_refused() -> None:
    for by, name in ((GROUP, "group"), (TIME, "time")):
        with pytest.raises(nw.DataError, match=f"{name}: the 50 rows that are to be split"):
            split_rows(None, 50, nw.data.iris(), key=SplitKey(by, np.zeros(50, np.int64)))
        with pytest.raises(nw.DataError, match="and 3 parts need one each"):
            split_rows(None, 50, nw.data.iris(), key=SplitKey(by, np.arange(50) % 2))


@given(KEYS, st.integers(2, 4), st.integers(0, 3))
@settings(max_examples=25)
def test_folds_by_group_validate_each_row_once(groups: list[int], folds: int, seed: int) -> None:
    key = SplitKey(GROUP, np.array(groups))
    seen: list[int] = []
    for number in range(folds):
        train, valid = fold_rows(key, None, folds, number, seed)
        assert len(train) + len(valid) == len(groups)
        assert len(valid)
        assert not set(key.of_row[train]) & set(key.of_row[valid])
        seen += valid.tolist()
    assert sorted(seen) == list(range(len(groups)))


@given(st.integers(7, 60), st.integers(2, 6))
def test_folds_by_time_are_those_of_scikit_learn(rows: int, folds: int) -> None:
    """Where its blocks have equal sizes; where not, sizes differ by rounding."""
    from sklearn.model_selection import TimeSeriesSplit

    time = np.random.default_rng(rows).permutation(rows)
    expected = list(TimeSeriesSplit(folds).split(np.zeros(rows)))
    for number in range(folds):
        train, valid = fold_rows(SplitKey(TIME, time), None, folds, number, 0)
        if rows % (folds + 1) == 0:
            assert sorted(time[train]) == expected[number][0].tolist()
            assert sorted(time[valid]) == expected[number][1].tolist()
        assert time[train].max() < time[valid].min()
        assert abs(len(valid) - rows / (folds + 1)) <= 1


@given(st.integers(4, 30), st.integers(2, 3))
def test_rows_of_one_time_stay_in_one_fold(rows: int, folds: int) -> None:
    time = np.sort(np.arange(rows) % 4)
    for number in range(folds):
        train, valid = fold_rows(SplitKey(TIME, time), None, folds, number, 0)
        assert len(train)
        assert len(valid)
        assert time[train].max() < time[valid].min()


def test_more_folds_than_groups_are_refused() -> None:
    key = np.arange(60) % 3
    with pytest.raises(nw.DataError, match="folds = 5 need 5 groups, and there are 3: write folds"):
        fold_rows(SplitKey(GROUP, key), None, 5, 0, 0)
    with pytest.raises(nw.DataError, match="folds = 5 need 6 points in time"):
        fold_rows(SplitKey(TIME, key), None, 5, 0, 0)


def test_the_later_part_keeps_equal_times_together() -> None:
    earlier, later = cut_by_time(np.arange(6), 1, np.array([1, 1, 2, 2, 2, 2]))
    assert (earlier.tolist(), later.tolist()) == ([0, 1], [2, 3, 4, 5])


@settings(max_examples=200, deadline=None)
@given(
    labels=st.lists(st.integers(0, 5), min_size=2, max_size=120),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
    by_class=st.booleans(),
)
def test_rows_are_drawn_as_scikit_learn_draws_them(
    labels: list[int], share: float, seed: int, by_class: bool
) -> None:
    from sklearn.model_selection import train_test_split

    rows, of_row = 2 * np.arange(len(labels)), np.repeat(labels, 2)
    size = min(max(round(share * len(rows)), 1), len(rows) - 1)
    counts = np.unique(labels, return_counts=True)[1]
    possible = counts.min() >= 2 and min(size, len(rows) - size) >= len(counts)
    strata = of_row[rows] if by_class and possible else None
    wanted = train_test_split(rows, test_size=size, random_state=seed, stratify=strata)
    found = cut_by_class(rows, size, of_row if by_class else None, seed)
    assert [np.sort(part).tolist() for part in wanted] == [part.tolist() for part in found]
