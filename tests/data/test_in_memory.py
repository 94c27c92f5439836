"""Arrays in memory: what is a class and what a number, and a hash that knows the content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import netwise as nw


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([0, 1, 2] * 10, ("0", "1", "2")),
        (np.array([True, False, True] * 10), ("False", "True")),
        (list("bab" * 10), ("a", "b")),
        (torch.arange(30) % 3, ("0", "1", "2")),
    ],
)
def test_whole_numbers_booleans_and_words_are_classes(y: object, classes: tuple[str, ...]) -> None:
    samples = nw.data.arrays(np.zeros((30, 2)), y).load()
    assert samples.task == "classification"
    assert samples.classes == classes


def test_real_numbers_are_targets() -> None:
    samples = nw.data.arrays(np.zeros((30, 2)), np.linspace(5, 9, 60).reshape(30, 2)).load()
    assert samples.task == "regression"
    assert samples.outputs == 2


def test_equal_content_is_equal_data() -> None:
    one, other = (nw.data.arrays([[1.0], [2.0]], [0, 1]) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one != nw.data.arrays([[1.0], [2.5]], [0, 1])
    assert one != one.but(split_seed=1)


def test_arrays_that_cannot_be_written_to_are_taken_as_they_are() -> None:
    x, y = np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10, dtype=np.float32)
    for array in (x, y):
        array.flags.writeable = False
    torch.set_warn_always(True)  # else a process warns only once
    try:
        given = nw.data.arrays(x, y, weights=y)
        assert (given.load().encoder.encode(x).numpy() == x).all()
    finally:
        torch.set_warn_always(False)


def test_the_data_are_a_copy() -> None:
    x = np.ones((10, 2), dtype=np.float32)
    data = nw.data.arrays(x, [0, 1] * 5)
    digest = data.digest
    x[:] = 7
    assert data.digest == digest


@pytest.mark.parametrize(
    ("x", "y", "text"),
    [
        ([["a"]], [0], "X is no array of numbers"),
        ([[np.nan], [1.0]], [0, 1], "1 of the inputs are not finite"),
        (np.zeros((0, 2)), [], "X has no rows"),
        ([[1.0], [2.0]], [1.0, np.inf], "1 of the targets are not finite"),
    ],
)
def test_wrong_arrays_are_refused(x: object, y: object, text: str) -> None:
    with pytest.raises(nw.DataError, match=text):
        nw.data.arrays(x, y, valid=0, test=0).load()


def test_a_recipe_with_arrays_round_trips_through_its_folder(tmp_path: Path) -> None:
    data = nw.data.arrays(np.random.default_rng(0).normal(size=(40, 3)), list("ab" * 20), valid=0.3)
    recipe = nw.Recipe(data=data, network=nw.MLP((3, 4, 2)))
    nw.write_recipe(recipe, tmp_path / "recipe.toml")
    again = nw.read_recipe(tmp_path / "recipe.toml")
    assert again == recipe
    assert again.hash == recipe.hash
    assert again.data.load().classes == ("a", "b")


def test_arrays_that_were_swapped_are_refused(tmp_path: Path) -> None:
    recipe = nw.Recipe(data=nw.data.arrays([[1.0], [2.0]], [0, 1]), network=nw.MLP((1, 2)))
    nw.write_recipe(recipe, tmp_path / "recipe.toml")
    other = recipe.but(data=nw.data.arrays([[9.0], [2.0]], [0, 1]))
    text = (tmp_path / "recipe.toml").read_text()
    nw.write_recipe(other, tmp_path / "recipe.toml")
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(
        nw.RecipeFileError, match="which holds other arrays: write the recipe again"
    ):
        nw.read_recipe(tmp_path / "recipe.toml")
    (tmp_path / "data.safetensors").unlink()
    with pytest.raises(nw.RecipeFileError, match=r"lie in data.safetensors beside the recipe"):
        nw.read_recipe(tmp_path / "recipe.toml")


def test_arrays_need_no_targets_where_inputs_are_learned() -> None:
    data = nw.data.arrays(np.eye(6, dtype=np.float32))
    samples = data.load()
    assert samples.task == "density"
    assert len(samples.train) + len(samples.valid) + len(samples.test) == 6
    with pytest.raises(nw.WrongValue, match="is for classification, and the data are for density"):
        nw.fit(nw.Recipe(data=data, network=nw.MLP((6, 2))))
    run = nw.fit(
        nw.Recipe(data=data, network=nw.Autoencoder((6, 3)), loss=nw.MeanSquaredError(), epochs=1)
    )
    assert run.history.ended.how == "finished"


def test_groups_and_times_split_and_fold() -> None:
    X, y = np.arange(60.0)[:, None], np.arange(60) % 2
    grouped = nw.data.arrays(X, y, group=[f"patient {i // 5}" for i in range(60)])
    parts = _parts(grouped.load())
    patients = [set((part.x[:, 0] // 5).int().tolist()) for part in parts]
    assert not patients[0] & patients[1]
    assert not (patients[0] | patients[1]) & patients[2]
    fold = nw.data.Fold(data=grouped, folds=3).load()
    assert not set((fold.train.x // 5).int().flatten().tolist()) & set(
        (fold.valid.x // 5).int().flatten().tolist()
    )
    timed = nw.data.arrays(X, y, time=-np.arange(60))
    train, valid, test = _parts(timed.load())
    assert test.x.max() < valid.x.min()
    assert valid.x.max() < train.x.min()
    folds = [nw.data.Fold(data=timed, folds=3, number=i).load() for i in range(3)]
    assert [len(each.train) for each in folds] == [12, 24, 36]
    assert all(each.valid.x.max() < each.train.x.min() for each in folds)
    with pytest.raises(nw.DataError, match="repeat = 1: folds by time have one order"):
        nw.data.Fold(data=timed, repeat=1).load()


def test_parts_of_ones_own() -> None:
    X, y = np.arange(10.0)[:, None], ["a", "b"] * 5
    data = nw.data.arrays(X, y, valid=([[20.0]], ["b"]), test=([[30.0], [31.0]], ["a", "c"]))
    train, valid, test = _parts(data.load())
    assert len(train) == 10
    assert valid.x.tolist() == [[20.0]]
    assert test.x.tolist() == [[30.0], [31.0]]
    assert data.load().classes == ("a", "b", "c")
    assert test.y.tolist() == [0, 2]
    half = nw.data.arrays(X, y, weights=np.arange(10), test=([[30.0]], ["a"]))
    train, valid, test = _parts(half.load())
    assert (len(train), len(valid), len(test)) == (8, 2, 1)
    assert test.weight is not None
    assert test.weight.tolist() == [1.0]
    values = nw.data.arrays(X, X[:, 0], valid=([[20.0]], [20.0])).load()
    assert len(values.valid) == 1
    assert torch.allclose(
        values.valid.y * values.target_scale + values.target_mean, torch.tensor([[20.0]])
    )


@pytest.mark.parametrize(
    ("valid", "message"),
    [
        (([[1.0, 2.0]], [0]), "valid has inputs of shape"),
        (([[1.0]], [0, 1]), "valid has 1 rows of X and 2 of y"),
        (([[1.0]], ["a"]), "are of another kind than y"),
        (([[1.0]],), "valid holds 1 values: write a share"),
    ],
)
def test_a_part_of_ones_own_that_does_not_fit(valid: Any, message: str) -> None:
    with pytest.raises(nw.DataError, match=message):
        nw.data.arrays(np.arange(10.0), np.arange(10) % 2, valid=valid)


def test_time_with_an_own_validation_part_is_refused() -> None:
    with pytest.raises(nw.DataError, match="nothing is left to split by time"):
        nw.data.arrays(np.arange(4.0), [0, 1] * 2, time=range(4), valid=([[1.0]], [0]))


def test_split_arrays_survive_their_file(tmp_path: Path) -> None:
    X, y = np.arange(40.0)[:, None], np.arange(40) % 2
    for number, data in enumerate(
        (
            nw.data.arrays(X, y, group=np.arange(40) // 4),
            nw.data.arrays(X, y, time=-np.arange(40)),
            nw.data.arrays(X, y, test=(X[:3], y[:3]), stratify=False),
        )
    ):
        recipe = nw.Recipe(data=data, network=nw.MLP((1, 4, 2)))
        path = tmp_path / str(number) / "recipe.toml"
        path.parent.mkdir()
        nw.write_recipe(recipe, path)
        again = nw.read_recipe(path)
        assert again == recipe
        assert again.hash == recipe.hash
        assert all(
            torch.equal(a.x, b.x)
            for a, b in zip(_parts(again.data.read()), _parts(data.read()), strict=True)
        )
    assert nw.data.arrays(X, y).digest != nw.data.arrays(X, y, time=-np.arange(40)).digest


def _parts(samples: nw.data.Samples) -> tuple[nw.data.Pairs, ...]:
    return samples.train, samples.valid, samples.test
