"""Streams give the samples and the runs of the same data in memory, from every source."""

from __future__ import annotations

import random
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
from netwise.data.streams.row_plan import epoch_order
from netwise.training.step import Stepper

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
    monkeypatch.setattr(sources, "BLOCK_BYTES", 16 * 8)


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


class Drawn(Dataset[Any]):
    """Samples that are changed at random each time they are read."""

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, i: int) -> Any:
        noise = torch.randn(4) + float(np.random.rand()) + random.random()
        return X[i] + noise, Y[i]


class Reordered(IterableDataset[Any]):
    """Another order in each epoch, as Hugging Face's `IterableDataset.shuffle` gives it."""

    epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[Any]:
        g = torch.Generator().manual_seed(self.epoch)
        return iter([(X[i], Y[i]) for i in torch.randperm(ROWS, generator=g).tolist()])


HELD = nw.data.stream(TensorDataset(X[:50], Y[:50]))
HARD = {
    "drawn": lambda _: nw.data.stream(Drawn()),
    "reordered": lambda _: nw.data.stream(Reordered(), valid=HELD, test=0.0, shuffle=40),
    "sequence": lambda _: nw.data.stream(Sequence(), shuffle=40),
    "parquet": lambda folder: _parquet(folder).but(shuffle=40),
}


@pytest.mark.parametrize("name", list(HARD))
def test_a_run_that_was_killed_within_an_epoch_goes_on_to_the_same_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = HARD[name](tmp_path)
    recipe = nw.Recipe(data=data, network=nw.MLP((4, 6, 2), dropout=0.3), epochs=3, batch_size=16)
    whole, steps = nw.fit(recipe), 0
    first = Stepper._one

    def killed(self: Stepper, *args: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == 24:
            raise KeyError("killed")
        return first(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "_one", killed)
        with pytest.raises(KeyError):
            nw.fit(recipe, folder=tmp_path / "run", checkpoint_every=5)
    again = nw.resume(tmp_path / "run", data=data if data.made_in_python else None)
    x = HELD.load().train if name != "parquet" else data.load().test
    assert torch.equal(again.outputs(x), whole.outputs(x))


def test_batches_of_a_source_in_another_order_have_their_own_targets() -> None:
    train = nw.data.stream(Reordered(), valid=HELD, test=0.0, shuffle=30).load().train
    for epoch in range(3):
        for rows in epoch_order(train.x, epoch, torch.Generator().manual_seed(0)).split(32):
            x, y = train.x.index_select(0, rows), train.y.index_select(0, rows)
            assert torch.equal((x[:, 0] > x[:, 1]).long(), y)
    assert torch.bincount(train.y.cpu()).tolist() == torch.bincount(Y).tolist()


def test_drawn_samples_differ_from_epoch_to_epoch_and_leave_the_generators_alone() -> None:
    x = nw.data.stream(Drawn()).load().train.x
    torch.manual_seed(7)
    before = torch.get_rng_state()
    rows, found = torch.arange(5), []
    for epoch in (0, 1, 0):
        epoch_order(x, epoch, torch.Generator())
        found.append(x.index_select(0, rows))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])


def test_regression_inputs_alone_and_words_as_classes(tmp_path: Path) -> None:
    numbers = nw.data.stream(TensorDataset(X, 3 * X[:, :1] + 5)).load()
    plain = nw.data.arrays(X.numpy(), (3 * X[:, :1] + 5).numpy()).load()
    assert torch.equal(numbers.train.y, plain.train.y)
    words = nw.data.stream([(row.numpy(), "ab"[int(y)]) for row, y in zip(X, Y, strict=True)])
    assert words.load().classes == ("a", "b")
    for source in (TensorDataset(X), Sequence()):
        recipe = nw.Recipe(
            data=nw.data.stream(source, shuffle=40),
            network=nw.Autoencoder((4, 2)),
            loss=nw.MeanSquaredError(),
            preprocess=(nw.Standardise(),),
            epochs=1,
        )
        assert nw.fit(recipe).history.ended.how == "finished"


def test_words_gaps_and_dates_of_a_table_are_inputs(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "word": ["red", "blue", "green", "red"] * 100,
            "day": pl.Series(range(ROWS)).cast(pl.Date),
            "gap": [None, 1.5, 2.0, 7.0] * 100,
            "kind": ["yes", "no"] * 200,
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    data = nw.data.stream(tmp_path / "a.parquet", "kind")
    encoder = nw.data.csv(tmp_path / "a.parquet", "kind").load().encoder
    assert data.load().encoder.raw_inputs() == encoder.raw_inputs()
    run = nw.fit(nw.suggest(data, epochs=1))
    assert len(run.predict(frame.drop("kind")[:3])) == 3


def test_a_stream_of_files_is_a_value_and_one_of_an_object_is_not(tmp_path: Path) -> None:
    for data in (_npy(tmp_path), _npy(tmp_path).but(own_valid=_npy(tmp_path), shuffle=9)):
        recipe = nw.Recipe(data=data, network=NETWORK)
        nw.write_recipe(recipe, tmp_path / "recipe.toml")
        assert nw.read_recipe(tmp_path / "recipe.toml") == recipe
    dataset = TensorDataset(X, Y)
    assert nw.data.stream(dataset) == nw.data.stream(dataset)
    assert nw.data.stream(dataset) != nw.data.stream(TensorDataset(X, Y))
    recipe = nw.Recipe(data=nw.data.stream(dataset), network=NETWORK, epochs=1)
    with pytest.raises(nw.WrongValue, match="is an object in Python, which no file can hold"):
        nw.write_recipe(recipe, tmp_path / "recipe.toml")
    nw.fit(recipe, folder=tmp_path / "run", halt=lambda epoch, row: "a test")
    with pytest.raises(nw.DataError, match="pass them again, resume"):
        nw.load(tmp_path / "run").recipe.data.load()


def _generator() -> Iterator[Any]:
    yield X[0], Y[0]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (lambda: nw.data.stream(_generator()), "can be read only once"),
        (lambda: nw.data.stream(lambda: iter([])), "gives no samples"),
        (lambda: nw.data.stream(TensorDataset(X[:0], Y[:0])), "has no samples"),
        (lambda: nw.data.stream([(1.0, 2.0, 3)] * 9), "of 3 values"),
        (lambda: nw.data.stream([([1.0, 2.0], 0), ([1.0], 1)] * 9), "different shapes"),
        (lambda: nw.data.stream(lambda: iter([([1.0, 2], 0), ([1.0], 1)])), "all samples one"),
        (lambda: nw.data.stream([(["red"], 0)] * 9), "a network takes numbers"),
        (lambda: nw.data.stream([([float("nan")], i % 2) for i in range(9)]), "not finite"),
        (lambda: nw.data.stream(TensorDataset(X, 0 * Y)), "1 different classes"),
        (lambda: nw.data.stream(TensorDataset(X, torch.stack([Y, Y], 1))), "one class for"),
        (lambda: nw.data.stream(Reordered()), "in another order each time"),
        (lambda: nw.data.stream("absent.csv", "a"), "sink_parquet"),
        (lambda: nw.data.stream("photos.zip", "a"), "of no kind that is read row by row"),
        (lambda: nw.data.Fold(data=nw.data.stream(TensorDataset(X, Y))), "folds of a stream"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(source: Callable[[], Any], reason: str) -> None:
    with pytest.raises(nw.DataError, match=reason):
        source().load()
    with pytest.raises(nw.DataError, match=r"data\.arrays"):
        nw.data.stream(X.numpy(), Y)


def test_new_samples_are_answered_from_a_stream() -> None:
    run = nw.fit(nw.Recipe(data=SOURCES["dataset"](Path()), network=NETWORK, epochs=1))
    new = nw.data.stream(TensorDataset(X), valid=0.0, test=0.0, shuffle=1).load().train
    assert (run.predict(new) == run.predict(X)).all()
    with pytest.raises(nw.DataError, match=r"data\.stream\(it, valid=0\.0"):
        run.predict(TensorDataset(X))


def test_parts_of_very_many_rows_are_drawn_without_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    from netwise.data.streams import stream

    monkeypatch.setattr(stream, "LARGE", 100)
    data = nw.data.stream(TensorDataset(torch.arange(ROWS)[:, None], Y), valid=0.1, test=0.2)
    samples = data.load()
    parts = [getattr(samples, name).x[:].tolist() for name in ("train", "valid", "test")]
    assert [len(part) for part in parts] == [280, 40, 80]
    assert sorted(x for part in parts for [x] in part) == list(range(ROWS))
