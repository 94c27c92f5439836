"""Cross-validation, learning curves and several starts, against scikit-learn's splits and plain
runs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

import netwise as nw

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.Adam(lr=0.05), epochs=5
)


def test_folds_deal_out_training_and_validation_part_once_and_keep_the_test_part() -> None:
    whole = RECIPE.data.load()
    both = np.concatenate([whole.train.x.numpy(), whole.valid.x.numpy()])
    dealt = []
    for number in range(4):
        fold = nw.data.Fold(data=RECIPE.data, folds=4, number=number).load()
        dealt.append(fold.valid.x.numpy())
        assert len(fold.train) + len(fold.valid) == len(both)
        assert np.array_equal(fold.test.x.numpy(), whole.test.x.numpy())
        assert np.bincount(fold.valid.y.numpy()).tolist() == [10, 10, 10]
    assert sorted(map(tuple, np.concatenate(dealt))) == sorted(map(tuple, both))


def test_folds_are_scikit_learns() -> None:
    whole = RECIPE.data.load()
    y = np.concatenate([whole.train.y.numpy(), whole.valid.y.numpy()])
    x = np.concatenate([whole.train.x.numpy(), whole.valid.x.numpy()])
    rows = [valid for _, valid in StratifiedKFold(3, shuffle=True, random_state=2).split(x, y)][1]
    found = nw.data.Fold(data=RECIPE.data, folds=3, number=1, repeat=2).load().valid.x.numpy()
    assert np.array_equal(found, x[np.sort(rows)])


def test_views_that_cannot_be_are_told() -> None:
    with pytest.raises(nw.WrongValue, match="no fold of 3"):
        nw.data.Fold(data=RECIPE.data, folds=3, number=3)
    with pytest.raises(nw.DataError, match="too few for 500 folds"):
        nw.data.Fold(data=RECIPE.data, folds=500).load()
    with pytest.raises(nw.DataError, match="more than the 90 training samples"):
        nw.data.Fewer(data=RECIPE.data, rows=91).load()


def test_views_are_parts_of_recipe_files(tmp_path: object) -> None:
    for view in (
        nw.data.Fold(data=nw.data.wine(), number=2),
        nw.data.Fewer(data=nw.data.Fold(data=nw.data.wine()), rows=30),
    ):
        recipe = RECIPE.but(data=view, network=nw.MLP((13, 4, 3)))
        again = nw.recipe.reader.recipe_from_bytes(nw.recipe_text(recipe).encode())  # type: ignore[attr-defined]
        assert again == recipe
        assert again.hash == recipe.hash


def test_fewer_samples_are_balanced_and_part_of_more() -> None:
    few, more = (nw.data.Fewer(data=nw.data.digits(), rows=rows).load().train for rows in (50, 400))
    assert max(np.bincount(few.y.numpy())) - min(np.bincount(few.y.numpy())) <= 2
    known = {tuple(row) for row in more.x.flatten(1).tolist()}
    assert all(tuple(row) in known for row in few.x.flatten(1).tolist())


def test_a_cross_validation_is_the_runs_of_its_folds() -> None:
    found = nw.cross_validate(RECIPE, folds=3, repeats=2, jobs=1)
    assert len(found.values) == 6
    run = nw.fit(
        RECIPE.but(data=nw.data.Fold(data=RECIPE.data, folds=3, number=1, repeat=1)), test=False
    )
    assert found.values[4] == run.history.of("valid.accuracy").last  # type: ignore[union-attr]
    assert found.losses[4] == run.history.of("valid.loss").last  # type: ignore[union-attr]
    naive = 2.571 * np.std(found.values, ddof=1) / np.sqrt(6)
    assert found.high - found.mean > 1.5 * naive  # folds share training samples
    with pytest.raises(nw.WrongValue, match="at least 2 folds"):
        nw.cross_validate(RECIPE, folds=1)


def test_more_samples_do_better_and_the_gap_closes() -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(),
        network=nw.MLP((64, 32, 10)),
        optimizer=nw.Adam(lr=0.01),
        batch_size=16,
        epochs=15,
    )
    curve = nw.learning_curve(recipe, (30, 1000), seeds=(0, 1), jobs=1)
    valid = [np.mean(each) for each in curve.valid]
    gaps = [
        np.mean(train) - np.mean(each) for train, each in zip(curve.train, curve.valid, strict=True)
    ]
    assert valid[1] > valid[0] + 0.1
    assert gaps[1] < gaps[0]
    assert nw.learning_curve(RECIPE.but(epochs=1), seeds=(0,), jobs=1).rows == (5, 11, 22, 45, 90)
    with pytest.raises(nw.WrongValue, match="between 2 and 90"):
        nw.learning_curve(RECIPE, (1000,))


def test_the_best_of_several_starts_is_kept() -> None:
    best, values = nw.multi_start(RECIPE.but(epochs=1), 4, jobs=1)
    assert values == tuple(
        nw.fit(RECIPE.but(epochs=1, seed=seed), test=False).history.of("valid.accuracy").last
        for seed in range(4)
    )  # type: ignore[union-attr]
    assert values[best.recipe.seed] == max(values)
