"""Data sets load into three parts that do not overlap, drawn by their own seed, stratified."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from sklearn import datasets

import netwise as nw
from netwise.data.dataset import split_rows

BUNDLED = [
    nw.data.digits(),
    nw.data.iris(),
    nw.data.wine(),
    nw.data.breast_cancer(),
    nw.data.diabetes(),
]


@pytest.mark.parametrize("data", BUNDLED, ids=lambda d: type(d).__name__)
def test_bundled_data_are_scikit_learns(data: nw.data.Split) -> None:
    samples = data.load()
    parts = (samples.train, samples.valid, samples.test)
    bunch = {
        "Digits": datasets.load_digits,
        "Iris": datasets.load_iris,
        "Wine": datasets.load_wine,
        "BreastCancer": datasets.load_breast_cancer,
        "Diabetes": datasets.load_diabetes,
    }
    raw = bunch[type(data).__name__]()
    assert sum(map(len, parts)) == len(raw.target)
    rows = sorted(map(tuple, torch.cat([p.x for p in parts]).flatten(1).tolist()))
    divisor = 16 if type(data).__name__ == "Digits" else 1
    assert rows == sorted(
        map(tuple, (torch.tensor(raw.data, dtype=torch.float32) / divisor).tolist())
    )
    assert samples.outputs == (len(raw.target_names) if samples.classes else 1)


@given(
    st.integers(30, 400),
    st.integers(2, 4),
    st.sampled_from([0.0, 0.1, 0.25, 0.4]),
    st.sampled_from([0.0, 0.15, 0.3]),
    st.integers(0, 2**32 - 1),
)
def test_a_split_is_a_partition_stratified_and_repeatable(
    rows: int, classes: int, valid: float, test: float, seed: int
) -> None:
    labels = np.arange(rows) % classes
    data = nw.data.digits(valid=valid, test=test, split_seed=seed)
    parts = split_rows(labels, rows, data)
    assert sorted(np.concatenate(parts).tolist()) == list(range(rows))
    assert len(parts[2]) == int(np.ceil(rows * test))
    for part in parts:
        if len(part) >= classes:
            share = np.bincount(labels[part], minlength=classes) / len(part)
            assert np.abs(share - 1 / classes).max() < 1.5 / len(part) + 1.5 / rows
    again = split_rows(labels, rows, data)
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))


def test_another_split_seed_is_another_split_and_the_run_seed_is_not() -> None:
    one, other = nw.data.iris(split_seed=0).load(), nw.data.iris(split_seed=1).load()
    assert not torch.equal(one.test.x, other.test.x)


def test_a_class_of_one_sample_does_not_stop_the_split() -> None:
    labels = np.array([0] * 30 + [1])
    parts = split_rows(labels, 31, nw.data.digits())
    assert sum(map(len, parts)) == 31


def test_too_few_samples_are_told() -> None:
    with pytest.raises(
        nw.DataError, match="1 samples are too few for parts of valid = 0.2 and test = 0.2"
    ):
        split_rows(None, 1, nw.data.digits())


def test_regression_targets_are_scaled_by_the_training_part() -> None:
    raw, scaled = nw.data.diabetes(scale_target=False).load(), nw.data.diabetes().load()
    mean, scale = raw.train.y.mean(0), raw.train.y.std(0, unbiased=False)
    assert torch.allclose(
        scaled.test.y * scaled.target_scale + scaled.target_mean, raw.test.y, atol=1e-3
    )
    assert torch.allclose(scaled.target_mean, mean)
    assert torch.allclose(scaled.target_scale, scale)


def test_loading_twice_reads_once() -> None:
    assert nw.data.iris().load() is nw.data.iris().load()
