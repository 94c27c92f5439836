"""Streams give the samples and the runs of the same data in memory, from every source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
)

import netwise as nw
from netwise.data.lazy_rows import LazyRows
from netwise.data.streams import block_rows, sources, table_blocks

ROWS = 400
X = torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(0)) * 3 + 1
Y = (X[:, 0] > X[:, 1]).long()
NETWORK = nw.MLP((4, 6, 2))


class Sequence(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(zip(X, Y.tolist(), strict=True))


class Mappings(Dataset[Any]):
    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, i: int) -> dict[str, Any]:
        return {"a": X[i, :2].numpy(), "b": X[i, 2:].tolist(), "label": int(Y[i])}


class Skipping:
    def __init__(self, start: int = 0) -> None:
        self.start = start

    def skip(self, count: int) -> Skipping:
        return Skipping(self.start + count)

    def __iter__(self) -> Iterator[Any]:
        return iter([(X[i], Y[i]) for i in range(self.start, ROWS)])


def _frame() -> pl.DataFrame:
    columns = {f"c{i}": X[:, i].numpy() for i in range(4)}
    return pl.DataFrame(columns).with_columns(kind=pl.Series(Y.numpy()))


def _npy(folder: Path) -> Any:
    np.save(folder / "x.npy", X.numpy())
    np.save(folder / "y.npy", Y.numpy())
    return nw.data.stream(folder / "x.npy", folder / "y.npy")


def _shards(folder: Path) -> Any:
    for i in range(3):
        np.save(folder / f"x{i}.npy", X[i * 150 : (i + 1) * 150].numpy())
        np.save(folder / f"y{i}.npy", Y[i * 150 : (i + 1) * 150].numpy())
    return nw.data.stream(folder / "x*.npy", folder / "y*.npy")


def _parquet(folder: Path) -> Any:
    _frame()[:100].write_parquet(folder / "a.parquet")
    _frame()[100:].write_parquet(folder / "b.parquet", row_group_size=64)
    return nw.data.stream(folder, "kind")


def _arrow(folder: Path) -> Any:
    _frame().write_ipc(folder / "a.arrow")
    return nw.data.stream(folder / "a.arrow", "kind")


SOURCES: dict[str, Callable[[Path], Any]] = {
    "dataset": lambda _: nw.data.stream(TensorDataset(X, Y)),
    "subset": lambda _: nw.data.stream(Subset(TensorDataset(X, Y), range(ROWS))),
    "concatenated": lambda _: nw.data.stream(
        ConcatDataset([TensorDataset(X[:9], Y[:9]), TensorDataset(X[9:], Y[9:])])
    ),
    "mappings": lambda _: nw.data.stream(Mappings()),
    "list": lambda _: nw.data.stream(list(zip(X.numpy(), Y.tolist(), strict=True))),
    "loader": lambda _: nw.data.stream(DataLoader(TensorDataset(X, Y), 7, shuffle=True)),
    "loader of mappings": lambda _: nw.data.stream(DataLoader(Mappings(), 8)),
    "sequence": lambda _: nw.data.stream(Sequence()),
    "loader of a sequence": lambda _: nw.data.stream(DataLoader(Sequence(), 7)),
    "loader without batches": lambda _: nw.data.stream(DataLoader(Sequence(), None)),
    "function": lambda _: nw.data.stream(lambda: zip(X, Y, strict=True)),
    "skipping": lambda _: nw.data.stream(Skipping()),
    "npy": _npy,
    "shards": _shards,
    "parquet": _parquet,
    "arrow": _arrow,
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_rows, "BLOCK_BYTES", 16 * 32)
    monkeypatch.setattr(table_blocks, "BLOCK_ROWS", 32)
    monkeypatch.setattr(sources, "BLOCK_ROWS", 32)


@pytest.mark.parametrize("name", list(SOURCES))
def test_the_samples_are_those_of_arrays(name: str, tmp_path: Path) -> None:
    samples = SOURCES[name](tmp_path).load()
    plain = nw.data.arrays(X.numpy(), Y.numpy()).load()
    assert isinstance(samples.train.x, LazyRows)
    assert samples.classes == plain.classes
    for part in ("train", "valid", "test"):
        found, wanted = getattr(samples, part), getattr(plain, part)
        assert torch.equal(torch.as_tensor(found.y), wanted.y)
        back = torch.arange(len(wanted)).flip(0)
        x = found.x.index_select(0, back)
        if name in ("parquet", "arrow"):  # columns of a table are standardised
            assert torch.corrcoef(torch.stack([x[:, 0], wanted.x[back, 0]]))[0, 1] > 0.9999
        else:
            assert torch.equal(x, wanted.x[back])


@pytest.mark.parametrize("name", [n for n in SOURCES if n not in ("parquet", "arrow")])
def test_a_run_has_the_numbers_of_one_in_memory(name: str, tmp_path: Path) -> None:
    recipe = nw.Recipe(data=SOURCES[name](tmp_path), network=NETWORK, epochs=2, batch_size=50)
    run = nw.fit(recipe)
    plain = nw.fit(recipe.but(data=nw.data.arrays(X.numpy(), Y.numpy())))
    assert torch.equal(run.outputs(X), plain.outputs(X))
    assert run.score == plain.score


@pytest.mark.parametrize("name", list(SOURCES))
def test_an_interrupted_run_goes_on_to_the_same_bits(name: str, tmp_path: Path) -> None:
    data = SOURCES[name](tmp_path).but(shuffle=64)
    recipe = nw.Recipe(
        data=data, network=NETWORK, preprocess=(nw.Standardise(),), epochs=3, batch_size=16
    )
    whole = nw.fit(recipe)
    left = tmp_path / "run"
    nw.fit(recipe, folder=left, halt=lambda epoch, row: "a test" if epoch == 2 else None)
    again = nw.resume(left, data=data if data.made_in_python else None)
    x = data.load().test
    assert torch.equal(again.outputs(x), whole.outputs(x))
