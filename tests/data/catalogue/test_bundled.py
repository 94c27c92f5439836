"""Sets that come with scikit-learn: the same rows and targets."""

from __future__ import annotations

import pytest
import torch
from sklearn import datasets

import netwise as nw

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
