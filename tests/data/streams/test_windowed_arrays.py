"""Blocks of .npy files are read once in an epoch, and give the rows of the files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.data.streams import windowed_arrays
from netwise.data.streams.array_files import mapped_files
from netwise.data.streams.row_plan import RowPlan
from netwise.data.streams.windowed_arrays import WindowedArrays

ROWS, BLOCK = 1000, 10
X = np.random.default_rng(0).integers(0, 200, (ROWS, 3))


def _store(folder: Path, dtype: str = "f4", files: int = 1, order: Any = "C") -> WindowedArrays:
    paths = []
    for number, part in enumerate(np.array_split(X.astype(dtype), files)):
        paths.append(str(folder / f"{number}.npy"))
        np.save(paths[-1], np.asarray(part, order=order))
    return WindowedArrays(mapped_files(paths), RowPlan(60, BLOCK), ROWS, missing=False)


def _epoch(store: WindowedArrays, train: torch.Tensor, seed: int = 0) -> list[torch.Tensor]:
    order = train[store.plan.order(train, torch.Generator().manual_seed(seed))]
    store.begin(seed, order)
    return list(order.split(16))


@pytest.mark.parametrize(
    ("dtype", "files", "order"),
    [("f4", 1, "C"), ("u1", 3, "C"), ("u2", 1, "C"), (">f4", 1, "C"), ("f8", 2, "F")],
)
def test_rows_are_those_of_the_files_in_every_epoch(
    dtype: str, files: int, order: str, tmp_path: Path
) -> None:
    store = _store(tmp_path, dtype, files, order)
    wanted = torch.from_numpy(X).float()
    train = torch.arange(ROWS)[torch.arange(ROWS) % 7 > 0]
    for seed in range(2):
        batches = _epoch(store, train, seed)
        for rows in [*batches, *batches[5::-1]]:
            assert torch.equal(store.index_select(0, rows), wanted[rows])
        apart = torch.arange(0, ROWS, 7)  # held out
        assert torch.equal(store.index_select(0, apart), wanted[apart])


def test_each_block_is_read_once_and_announced_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = _store(tmp_path)
    events: list[tuple[str, int]] = []
    read, announce = windowed_arrays._File.read, windowed_arrays._File.announce

    def noted_read(self: Any, start: int, rows: np.ndarray) -> None:
        events.append(("read", start // BLOCK))
        read(self, start, rows)

    def noted_announce(self: Any, start: int, stop: int) -> None:
        events.append(("announced", start // BLOCK))
        announce(self, start, stop)

    monkeypatch.setattr(windowed_arrays._File, "read", noted_read)
    monkeypatch.setattr(windowed_arrays._File, "announce", noted_announce)
    batches = _epoch(store, torch.arange(ROWS))
    for rows in batches:
        store.index_select(0, rows)
    numbers = list(range(ROWS // BLOCK))
    assert sorted(number for kind, number in events if kind == "read") == numbers
    assert all(events.index(("announced", n)) < events.index(("read", n)) for n in numbers)
    assert len(store.buffer) <= 60 + 4 * BLOCK
    events.clear()
    again = pickle.loads(pickle.dumps(store))
    for rows in _epoch(again, torch.arange(ROWS))[-8:]:  # an epoch that continues
        again.index_select(0, rows)
    assert sum(kind == "read" for kind, _ in events) < 0.4 * len(numbers)


def test_rows_of_a_validation_part_are_read_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = _store(tmp_path)
    monkeypatch.setattr(windowed_arrays._File, "read", lambda *_: pytest.fail("read a block"))
    apart = torch.arange(0, ROWS, 40)
    assert torch.equal(store.index_select(0, apart), torch.from_numpy(X[apart]).float())
    _epoch(store, torch.arange(ROWS))
    assert torch.equal(store.index_select(0, apart), torch.from_numpy(X[apart]).float())


def test_a_file_that_became_shorter_is_named(tmp_path: Path) -> None:
    store = _store(tmp_path)
    batches = _epoch(store, torch.arange(ROWS))
    (tmp_path / "0.npy").write_bytes((tmp_path / "0.npy").read_bytes()[:200])
    with pytest.raises(nw.DataError, match=r"0\.npy has become shorter"):
        for rows in batches:
            store.index_select(0, rows)
