"""Data that workers share: equal to loaded ones, mapped and not copied."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.data.dataset import data_provider
from netwise.recipe.prepared import preprocessed
from netwise.training.shared_data import share_data, use_shared_data, without_arrays


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
            )  # not computed again
            assert torch.equal(found.train.x, plain.train.x)
            assert torch.equal(again[0]["mean"], learned[0]["mean"])
            run = nw.fit(recipe)
    assert data_provider() is None
    assert not Path(folder).exists()
    assert run.history.of("train.loss") == nw.fit(recipe).history.of("train.loss")
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
