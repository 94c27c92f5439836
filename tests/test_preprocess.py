"""Preprocessing against scikit-learn; it learns from the training part only."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import netwise as nw
from netwise.preprocess import PREPROCESSES
from netwise.recipe.checks import prepared

X = torch.randn(200, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * torch.tensor([1.0, 10, 100, 0.1, 0]) + 3


def test_standardise_and_min_max_equal_scikit_learn() -> None:
    train, rest = X[:150], X[150:]
    for step, scaler in ((nw.Standardise(), StandardScaler()), (nw.MinMax(), MinMaxScaler())):
        scaler.fit(train.numpy())
        np.testing.assert_allclose(step.apply(rest, step.fit(train)).numpy(), scaler.transform(rest.numpy()), atol=1e-9)


def test_images_are_standardised_by_channel() -> None:
    x = torch.rand(20, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 5.0, 9.0])[:, None, None]
    y = nw.Standardise().apply(x, nw.Standardise().fit(x))
    assert torch.allclose(y.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(y.std((0, 2, 3), unbiased=False), torch.ones(3), atol=1e-4)


@pytest.mark.parametrize("cls", PREPROCESSES)
def test_a_step_learns_from_the_training_part_alone(cls: type[nw.Preprocess]) -> None:
    if cls is nw.OneHot:
        return  # takes rows: below
    step = cls(8, 8) if cls is nw.Resize else cls()
    recipe = nw.Recipe(data=nw.data.digits(), preprocess=(step,), network=nw.MLP((64, 10)))
    raw = recipe.data.load()
    ready, (fitted,) = prepared(recipe, raw)
    expected = step.fit(raw.train.x)
    assert fitted.keys() == expected.keys()
    assert all(torch.equal(fitted[key], expected[key]) for key in fitted)
    assert torch.equal(ready.test.x, step.apply(raw.test.x, expected))


def test_steps_follow_each_other() -> None:
    recipe = nw.Recipe(data=nw.data.wine(), preprocess=(nw.Standardise(), nw.MinMax()), network=nw.MLP((13, 3)))
    x = prepared(recipe, recipe.data.load())[0].train.x
    assert torch.allclose(x.amin(0), torch.zeros(13), atol=1e-6)
    assert torch.allclose(x.amax(0), torch.ones(13), atol=1e-6)


def test_resize_refuses_rows() -> None:
    with pytest.raises(nw.DataError, match="Resize takes images"):
        nw.Resize(4, 4).apply(torch.zeros(2, 3), {})
