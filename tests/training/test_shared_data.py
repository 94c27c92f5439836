"""Data that workers share: equal to loaded ones, mapped and not copied."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import netwise as nw
from netwise.data.dataset import data_provider
from netwise.data.mapped_file import read_mapped, write_mapped
from netwise.recipe.prepared import preprocessed
from netwise.training import parallel as many
from netwise.training.shared_data import share_data, use_shared_data, without_arrays


@pytest.mark.parametrize(
    "data",
    [
        nw.data.digits(),
        nw.data.diabetes(),
        nw.data.arrays(np.eye(20), [0, 1] * 10, weights=np.arange(20) + 1.0),
    ],
    ids=["a", "b", "c"],
)
def test_what_is_read_is_what_was_written(tmp_path: Path, data: nw.data.Data) -> None:
    samples = data.load()
    write_mapped(samples, tmp_path / "x")
    again, learned = read_mapped(tmp_path / "x")
    assert learned == ()
    for name in ("train", "valid", "test"):
        one, other = getattr(samples, name), getattr(again, name)
        assert torch.equal(one.x, other.x)
        assert torch.equal(one.y, other.y)
        assert (one.weight is None) == (other.weight is None)
    assert (again.task, again.classes, again.encoder, again.fingerprint) == (
        samples.task,
        samples.classes,
        samples.encoder,
        samples.fingerprint,
    )
    assert torch.equal(again.target_mean, samples.target_mean)


def test_the_tensors_are_pages_of_the_file(tmp_path: Path) -> None:
    """Of a private mapping that nobody wrote to, no page belongs to the process itself."""
    data = nw.data.arrays(
        np.random.default_rng(0).normal(size=(20_000, 100)), np.arange(20_000) % 2
    )
    path = tmp_path / "held.safetensors"
    write_mapped(data.load(), path)
    samples, _ = read_mapped(path)
    assert float(samples.train.x.sum()) == pytest.approx(
        float(data.load().train.x.sum())
    )  # every page was touched
    own, mapped = _pages(path)
    assert mapped > 4_000_000
    assert own == 0
    samples.train.x[0] = 1.0  # writing copies the page and leaves the file alone
    assert _pages(path)[0] > 0
    assert not torch.equal(load_file(path)["train.x"][0], samples.train.x[0])


def _pages(path: Path) -> tuple[int, int]:
    """(bytes that belong to this process alone, bytes that are in memory) of its mapping of a
    file."""
    own = mapped = 0
    here = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ")[0]:
            here = line.endswith(str(path))
        elif here and line.startswith("Anonymous:"):
            own += 1024 * int(line.split()[1])
        elif here and line.startswith("Rss:"):
            mapped += 1024 * int(line.split()[1])
    return own, mapped


def test_workers_find_data_loaded_and_preprocessed(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(3, 5, size=(4000, 80))
    recipe = nw.Recipe(
        data=nw.data.arrays(rows, rows[:, 0] > 3),
        preprocess=(nw.Standardise(),),
        network=nw.MLP((80, 4, 2)),
        epochs=1,
    )
    plain, learned = preprocessed(recipe, recipe.data.load())
    with share_data([recipe], jobs=2) as folder:
        assert folder is not None
        with use_shared_data(recipe, folder):
            provider = data_provider()
            assert provider is not None
            assert provider.loaded(recipe.data) is not None
            found, again = preprocessed(recipe, recipe.data.load())
            assert (
                found.train.x.data_ptr()
                == preprocessed(recipe, recipe.data.load())[0].train.x.data_ptr()
            )  # not computed anew
            assert torch.equal(found.train.x, plain.train.x)
            assert torch.equal(again[0]["mean"], learned[0]["mean"])
            run = nw.fit(recipe)
    assert data_provider() is None
    assert not Path(folder).exists()
    assert run.history.of("train.loss").values == nw.fit(recipe).history.of("train.loss").values  # type: ignore[union-attr]
    with share_data([nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)))], jobs=2) as small:
        assert small is None


def _tables(count: int) -> nw.Recipe:
    rows = np.random.default_rng(0).normal(3, 5, size=(count, 80))
    return nw.Recipe(
        data=nw.data.arrays(rows, rows[:, 0] > 3),
        preprocess=(nw.Standardise(),),
        network=nw.MLP((80, 4, 2)),
        epochs=1,
    )


def test_views_find_what_they_are_views_of() -> None:
    recipe = _tables(4000)
    folds = [recipe.but(data=nw.data.Fold(data=recipe.data, number=number)) for number in range(2)]
    alone = [fold.data.load().train.x for fold in folds]
    with share_data(folds, jobs=2) as folder:
        for fold, x in zip(folds, alone, strict=True):
            with use_shared_data(fold, folder) as is_there:
                assert is_there
                assert torch.equal(fold.data.read().train.x, x)
                provider = data_provider()
                assert provider is not None
                assert provider.loaded(recipe.data) is not None
                assert provider.loaded(fold.data) is None
                # each fold has statistics of its own
                assert provider.preprocessed(fold.data, fold.preprocess) is None
    with (
        share_data([folds[0], folds[0].but(seed=1)], jobs=2) as folder,
        use_shared_data(folds[0], folder),
    ):
        provider = data_provider()
        assert provider is not None
        shared = provider.preprocessed(folds[0].data, folds[0].preprocess)
        assert shared is not None
        found, _ = preprocessed(folds[0], folds[0].data.load())
        assert found.train.x.data_ptr() == shared[0].train.x.data_ptr()


@pytest.mark.parametrize("view", [False, True])
def test_what_is_sent_to_workers_does_not_grow_with_the_data(view: bool) -> None:
    small, large = _tables(400), _tables(4000)
    if view:
        small, large = (
            each.but(data=nw.data.Fewer(data=nw.data.Fold(data=each.data), rows=100))
            for each in (small, large)
        )
    assert without_arrays(large).hash == large.hash
    assert without_arrays(large).data == large.data
    assert (
        abs(len(pickle.dumps(without_arrays(large))) - len(pickle.dumps(without_arrays(small))))
        < 100
    )


def test_on_a_machine_without_the_folder_the_data_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = _tables(4000)
    seeds = [recipe, recipe.but(seed=1), recipe.but(seed=2)]
    here = nw.fit_many(seeds, jobs=2)

    @contextmanager
    def elsewhere(recipes: object, jobs: int) -> Iterator[str]:
        yield "/no/such/folder"

    monkeypatch.setattr(many, "share_data", elsewhere)
    places: list[int] = []
    there = nw.fit_many(seeds, jobs=2, done=lambda place, run: places.append(place))
    assert sorted(places) == [0, 1, 2]
    assert [run.history.of("train.loss").values for run in here] == [
        run.history.of("train.loss").values for run in there
    ]  # type: ignore[union-attr]


def test_a_study_over_shared_data_has_the_numbers_of_one_alone(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(3, 5, size=(4000, 80))
    recipe = nw.Recipe(
        data=nw.data.arrays(rows, rows[:, 0] > 3),
        preprocess=(nw.Standardise(),),
        network=nw.MLP((80, 4, 2)),
        epochs=2,
    )
    space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 0.1),))
    one, two = (
        nw.search(
            recipe,
            space,
            method=nw.Random(),
            trials=4,
            fresh=1,
            folder=tmp_path / str(jobs),
            jobs=jobs,
        )
        for jobs in (1, 2)
    )
    assert [(t.point, t.value) for t in one.trials] == [(t.point, t.value) for t in two.trials]
    assert one.fresh_values == two.fresh_values
    files = [tmp_path / "2" / trial.folder / "run" / "data.safetensors" for trial in two.trials]
    assert len({file.stat().st_ino for file in files}) == 1  # the arrays lie on the disk once
