"""Preprocessing against scikit-learn; it learns from the training part only."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import preprocessing
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import netwise as nw
from netwise.parts.preprocess import PREPROCESSES
from netwise.recipe.prepared import prepare, preprocessed

X = (
    torch.randn(200, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    * torch.tensor([1.0, 10, 100, 0.1, 0])
    + 3
)


def test_standardise_and_min_max_equal_scikit_learn() -> None:
    train, rest = X[:150], X[150:]
    for step, scaler in ((nw.Standardise(), StandardScaler()), (nw.MinMax(), MinMaxScaler())):
        scaler.fit(train.numpy())
        np.testing.assert_allclose(
            step.apply(rest, step.fit(train)).numpy(), scaler.transform(rest.numpy()), atol=1e-9
        )


def test_images_are_standardised_by_channel() -> None:
    x = (
        torch.rand(20, 3, 4, 4, generator=torch.Generator().manual_seed(1))
        * torch.tensor([1.0, 5.0, 9.0])[:, None, None]
    )
    y = nw.Standardise().apply(x, nw.Standardise().fit(x))
    assert torch.allclose(y.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(y.std((0, 2, 3), unbiased=False), torch.ones(3), atol=1e-4)


@pytest.mark.parametrize("cls", PREPROCESSES)
def test_a_step_learns_from_the_training_part_alone(cls: type[nw.Preprocess]) -> None:
    if cls in (nw.OneHot, nw.Quantile):
        return  # take rows: below
    step = cls(8, 8) if cls is nw.Resize else cls()
    recipe = nw.Recipe(data=nw.data.digits(), preprocess=(step,), network=nw.MLP((64, 10)))
    raw = recipe.data.load()
    ready, (fitted,) = preprocessed(recipe, raw)
    expected = step.fit(raw.train.x)
    assert fitted.keys() == expected.keys()
    assert all(torch.equal(fitted[key], expected[key]) for key in fitted)
    assert torch.equal(ready.test.x, step.apply(raw.test.x, expected))


def test_steps_follow_each_other() -> None:
    recipe = nw.Recipe(
        data=nw.data.wine(), preprocess=(nw.Standardise(), nw.MinMax()), network=nw.MLP((13, 3))
    )
    x = prepare(recipe).samples.train.x
    assert torch.allclose(x.amin(0), torch.zeros(13), atol=1e-6)
    assert torch.allclose(x.amax(0), torch.ones(13), atol=1e-6)


def test_resize_refuses_rows() -> None:
    with pytest.raises(nw.DataError, match="Resize takes images"):
        nw.Resize(4, 4).apply(torch.zeros(2, 3), {})


ROWS = np.random.default_rng(0).gamma(2.0, 3.0, size=(200, 5)).astype(np.float32)


def applied(step: nw.Preprocess, x: np.ndarray) -> np.ndarray:
    inputs = torch.from_numpy(x)
    done: np.ndarray = step.apply(inputs, step.fit(inputs)).numpy()
    return done


def test_steps_are_scikit_learns() -> None:
    np.testing.assert_allclose(
        applied(nw.Standardise(), ROWS),
        preprocessing.StandardScaler().fit_transform(ROWS),
        atol=1e-4,
    )
    np.testing.assert_allclose(
        applied(nw.MinMax(), ROWS), preprocessing.MinMaxScaler().fit_transform(ROWS), atol=1e-5
    )
    ours, theirs = (
        applied(nw.Whiten(form="pca", epsilon=1e-9), ROWS),
        PCA(whiten=True).fit_transform(ROWS),
    )
    np.testing.assert_allclose(
        np.abs(ours), np.abs(theirs), atol=1e-3
    )  # the sign of a component is free
    few = applied(nw.Whiten(form="pca", epsilon=1e-9, keep=2), ROWS)
    np.testing.assert_allclose(
        np.abs(few), np.abs(PCA(2, whiten=True).fit_transform(ROWS)), atol=1e-3
    )
    quantile = preprocessing.QuantileTransformer(
        n_quantiles=100, output_distribution="normal"
    ).fit_transform(ROWS)
    np.testing.assert_allclose(applied(nw.Quantile(knots=100), ROWS), quantile, atol=2e-2)
    missing = np.where(np.random.default_rng(1).random(ROWS.shape) < 0.2, np.nan, ROWS).astype(
        np.float32
    )
    for by in ("mean", "median"):
        np.testing.assert_allclose(
            applied(nw.FillMissing(by=by), missing),
            SimpleImputer(strategy=by).fit_transform(missing),
            atol=1e-4,
        )
    codes = np.column_stack([ROWS[:, 0], np.arange(200) % 3, np.arange(200) % 4]).astype(np.float32)
    coded = preprocessing.OneHotEncoder(sparse_output=False).fit_transform(codes[:, 1:])
    np.testing.assert_allclose(
        applied(nw.OneHot(columns=(1, 2)), codes), np.column_stack([codes[:, :1], coded])
    )


def test_zca_is_the_symmetric_root_of_the_inverse_covariance() -> None:
    for convention, divisor in (("sample", 199), ("pylearn2", 200)):
        centred = ROWS - ROWS.mean(0)
        values, vectors = np.linalg.eigh(centred.T.astype(np.float64) @ centred / divisor)
        by_hand = centred @ vectors @ np.diag(1 / np.sqrt(values + 0.3)) @ vectors.T
        np.testing.assert_allclose(
            applied(nw.Whiten(epsilon=0.3, convention=convention), ROWS), by_hand, atol=1e-4
        )
    images = torch.rand(300, 1, 4, 4)
    step = nw.Whiten(epsilon=1e-6)
    white = step.apply(images, step.fit(images))
    assert white.shape == images.shape
    assert torch.allclose(torch.cov(white.flatten(1).T), torch.eye(16), atol=1e-2)
    with pytest.raises(nw.WrongValue, match='is for form = "pca"'):
        nw.Whiten(keep=3)


def test_global_contrast_by_both_conventions() -> None:
    x = torch.from_numpy(ROWS)
    centred = x - x.mean(1, keepdim=True)
    ours = nw.GlobalContrast(scale=2.0, bias=10.0).apply(x, {})
    assert torch.allclose(ours, 2 * centred / (10 + centred.square().mean(1, keepdim=True)).sqrt())
    norms = nw.GlobalContrast(scale=55.0, convention="norm").apply(
        x, {}
    )  # pylearn2's call for CIFAR-10
    assert torch.allclose(norms.norm(dim=1), torch.full((200,), 55.0), atol=1e-2)
    assert not nw.GlobalContrast().apply(torch.ones(1, 7), {}).any()  # a flat image stays flat


def test_values_that_tie_share_the_middle_of_their_ranks() -> None:
    x = torch.tensor([[0.0]] * 6 + [[1.0], [2.0], [3.0], [4.0]])
    y = nw.Quantile().apply(x, nw.Quantile().fit(x)).flatten()
    assert len(y[:6].unique()) == 1
    assert float(y[0]) == pytest.approx(float(torch.special.ndtri(torch.tensor(2.5 / 9))), abs=1e-5)
    assert not nw.Quantile().apply(torch.ones(5, 1), nw.Quantile().fit(torch.ones(5, 1))).any()
    with pytest.raises(nw.DataError, match="takes inputs of shape .*: put Flatten before it"):
        nw.Quantile().fit(torch.zeros(2, 1, 3, 3))


def test_arrays_with_gaps_are_filled_by_a_step_that_travels_with_the_run() -> None:
    x = torch.rand(80, 3)
    y = (x[:, 0] > 0.5).long()
    x[::7, 1] = float("nan")
    with pytest.raises(nw.DataError, match="not finite"):
        nw.data.arrays(x, y.numpy()).load()
    data = nw.data.arrays(x, y.numpy(), allow_missing=True)
    run = nw.fit(
        nw.Recipe(data=data, preprocess=(nw.FillMissing(),), network=nw.MLP((3, 2)), epochs=2)
    )
    assert len(run.predict([[0.9, float("nan"), 0.1]])) == 1
