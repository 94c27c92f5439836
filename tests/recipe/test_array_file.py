"""Arrays beside a recipe: shared between runs by hard links, checked by their digest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import netwise as nw
from netwise.data import Arrays
from netwise.recipe.array_file import ARRAYS_FILE, ArrayFiles, read_arrays, write_arrays


def arrays(seed: int = 0) -> Arrays:
    x = torch.rand(20, 3, generator=torch.Generator().manual_seed(seed))
    return nw.data.arrays(x, list("ab" * 10), weights=torch.ones(20), split_seed=4)


def table(data: Arrays) -> dict[str, object]:
    return {"digest": data.digest, "split_seed": data.split_seed}


def test_arrays_come_back_with_classes_weights_and_settings(tmp_path: Path) -> None:
    data = arrays()
    write_arrays(data, tmp_path / ARRAYS_FILE, ArrayFiles())
    again = read_arrays(table(data), tmp_path, ArrayFiles())
    assert again == data
    assert torch.equal(again.X, data.X)
    assert again.classes == ("a", "b")
    assert again.weights is not None


def test_equal_arrays_are_kept_once_on_disk(tmp_path: Path) -> None:
    files, data = ArrayFiles(), arrays()
    first, second = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    write_arrays(data, first, files)
    write_arrays(data, second, files)
    assert first.stat().st_ino == second.stat().st_ino


def test_a_file_that_was_changed_or_deleted_is_not_linked_to(tmp_path: Path) -> None:
    files, data = ArrayFiles(), arrays()
    first, second, third = (tmp_path / f"{i}.safetensors" for i in range(3))
    write_arrays(data, first, files)
    written = first.stat().st_mtime_ns
    write_arrays(arrays(1), first, ArrayFiles())  # by another process: other content, same path
    os.utime(first, ns=(written, written))  # a clock that ticks slowly
    write_arrays(data, second, files)
    assert first.read_bytes() != second.read_bytes()
    second.unlink()
    write_arrays(data, third, files)
    assert third.is_file()


def test_only_the_latest_files_are_remembered(tmp_path: Path) -> None:
    files = ArrayFiles(capacity=2)
    for name in "abc":
        (tmp_path / name).write_text(name)
        files.remember(name, tmp_path / name)
    assert [files.find(name) for name in "abc"] == [None, tmp_path / "b", tmp_path / "c"]


def test_problems_say_what_to_do(tmp_path: Path) -> None:
    data = arrays()
    with pytest.raises(nw.WrongValue, match="lie in data.safetensors .* copy that file too"):
        read_arrays(table(data), tmp_path)
    write_arrays(data, tmp_path / ARRAYS_FILE, ArrayFiles())
    with pytest.raises(nw.WrongValue, match="is not .* write the recipe again"):
        read_arrays({**table(data), "digest": "0" * 16}, tmp_path)
    with pytest.raises(nw.WrongValue, match=r"splitseed  unknown field. There are: digest, valid"):
        read_arrays({**table(data), "splitseed": 1}, tmp_path)
    with pytest.raises(nw.WrongValue, match=r"valid = 2  must be below 1"):
        read_arrays({**table(data), "valid": 2}, tmp_path)
    (tmp_path / ARRAYS_FILE).write_bytes(b"nothing")
    with pytest.raises(nw.WrongValue, match="cannot be read from .* write the recipe again"):
        read_arrays(table(data), tmp_path)


@pytest.mark.parametrize("words", ["5", "null", "{}", "[1]", "[" * 50_000, '"ab"', "x"])
def test_names_of_classes_are_read_by_their_type(words: str, tmp_path: Path) -> None:
    data = arrays()
    save_file({"X": data.X, "y": data.y}, tmp_path / ARRAYS_FILE, {"classes": words})
    with pytest.raises(nw.WrongValue, match="cannot be read from .* write the recipe again"):
        read_arrays(table(data), tmp_path)
