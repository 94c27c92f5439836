"""Arrays in mapped files give the numbers of arrays in memory, and stay in their files."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.data import mapped_array
from netwise.data.lazy_rows import LazyRows
from netwise.data.mapped_array import MappedRows, is_large_mapped
from netwise.estimators import NetClassifier
from netwise.recipe.prepared import prepare

ROWS = 300


@pytest.fixture(autouse=True)
def every_map_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_array, "LEAST", 0)
    monkeypatch.setattr(mapped_array, "RELEASE", 2**20)
    monkeypatch.setattr(LazyRows, "piece", 100)


def _mapped(folder: Path, dtype: str = "f4", mode: str = "r") -> tuple[np.ndarray, np.ndarray]:
    g = np.random.default_rng(0)
    x = (40 * g.standard_normal((ROWS, 6)) + 100).astype(dtype)
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode=mode), (x[:, 0] > x[:, 1]).astype(int)  # type: ignore[call-overload]


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "u1", "i2", "u2", "i8", ">f4"])
def test_the_same_samples_as_in_memory(dtype: str, tmp_path: Path) -> None:
    X, y = _mapped(tmp_path, dtype)
    mapped, plain = nw.data.arrays(X, y), nw.data.arrays(np.array(X), y)
    assert isinstance(mapped.X, LazyRows)
    assert mapped.digest == plain.digest
    for part in ("train", "valid", "test"):
        found, wanted = getattr(mapped.load(), part), getattr(plain.load(), part)
        assert isinstance(found.x, LazyRows)
        rows = torch.tensor([3, 0, 3])
        assert torch.equal(found.x.index_select(0, rows), wanted.x.index_select(0, rows))
        assert torch.equal(found.y, wanted.y)
    recipe = nw.Recipe(data=mapped, network=nw.MLP((6, 4, 2)), preprocess=(nw.Standardise(),))
    for name, value in prepare(recipe).fitted[0].items():
        other = prepare(recipe.but(data=plain)).fitted[0][name]
        torch.testing.assert_close(value, other, rtol=1e-5, atol=1e-6)


def test_a_run_has_the_same_numbers_and_its_recipe_maps_its_file(tmp_path: Path) -> None:
    X, y = _mapped(tmp_path)
    recipe = nw.Recipe(data=nw.data.arrays(X, y), network=nw.MLP((6, 4, 2)), epochs=2)
    run = nw.fit(recipe, folder=tmp_path / "run")
    plain = nw.fit(recipe.but(data=nw.data.arrays(np.array(X), y)))
    assert torch.equal(run.outputs(X), plain.outputs(np.array(X)))
    again = nw.load(tmp_path / "run").recipe
    assert again.data == recipe.data
    assert again.hash == recipe.hash
    assert isinstance(again.data.X, LazyRows)  # type: ignore[attr-defined]
    assert torch.equal(nw.fit(again).outputs(X), run.outputs(X))


def test_an_estimator_leaves_the_inputs_in_their_file(tmp_path: Path) -> None:
    X, y = _mapped(tmp_path)
    net = NetClassifier(hidden=(4,), epochs=2, random_state=0).fit(X, y)
    assert isinstance(net.run_.recipe.data.X, LazyRows)
    plain = NetClassifier(hidden=(4,), epochs=2, random_state=0).fit(np.array(X), y)
    np.testing.assert_allclose(net.predict_proba(X), plain.predict_proba(X), atol=1e-5)


def test_views_of_a_map_and_copies_in_other_processes(tmp_path: Path) -> None:
    X, _ = _mapped(tmp_path)
    view = np.asarray(X)[10:, :]
    assert is_large_mapped(view)
    rows = torch.tensor([0, 5])
    again = pickle.loads(pickle.dumps(LazyRows.of(MappedRows(view))))
    assert torch.equal(again.index_select(0, rows), torch.from_numpy(np.array(view[[0, 5]])))
    assert "x.npy" in str(again.store.array.filename)
    assert not is_large_mapped(np.array(X))


def test_changes_of_a_private_map_are_kept(tmp_path: Path) -> None:
    X, _ = _mapped(tmp_path, mode="c")
    X[:] = 7.0
    store = MappedRows(X)
    for _ in range(100):
        assert bool((store.index_select(0, torch.arange(len(X))) == 7).all())
    assert bool((pickle.loads(pickle.dumps(store)).array == 7).all())


def test_numbers_that_are_not_finite_are_refused_before_training(tmp_path: Path) -> None:
    X, y = _mapped(tmp_path, mode="r+")
    X[250, 2] = np.nan
    with pytest.raises(nw.DataError, match="1 of the inputs are not finite"):
        nw.data.arrays(X, y).load()
    filled = nw.data.arrays(X, y, allow_missing=True)
    recipe = nw.Recipe(
        data=filled, network=nw.MLP((6, 4, 2)), preprocess=(nw.FillMissing(), nw.Standardise())
    )
    assert nw.fit(recipe.but(epochs=1)).history.ended.how == "finished"


def test_numbers_that_float32_cannot_tell_apart_are_kept_apart(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", 1.7e9 + np.arange(200.0)[:, None])
    X = np.load(tmp_path / "x.npy", mmap_mode="r")
    train = nw.data.arrays(X, np.arange(200) % 2).load().train.x
    assert len(train.unique()) == len(train)
