"""Sets that come with scikit-learn: the same rows and targets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import datasets

import netwise as nw
from netwise.data.catalogue.bundled import BreastCancer, Digits, Iris, Wine, _rows

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


@pytest.mark.parametrize("loader", ["load_digits", "load_iris", "load_wine", "load_breast_cancer"])
def test_files_are_read_as_scikit_learn_reads_them(loader: str) -> None:
    kinds = {kind.loader: kind.file for kind in (Digits, Iris, Wine, BreastCancer)}
    own, without_file = _rows(loader, kinds[loader]), _rows(loader)
    assert np.array_equal(own.data, without_file.data)
    assert np.array_equal(own.target, without_file.target)
    assert own.target_names == without_file.target_names
    assert _rows(loader, "no_such_file.csv").target_names == own.target_names
