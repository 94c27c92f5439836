"""Cross-validation, learning curves and several initial values, against plain runs."""

from __future__ import annotations

import numpy as np
import pytest

import netwise as nw
from netwise.recipe.reader import recipe_from_bytes

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.Adam(lr=0.05), epochs=5
)


def test_views_are_parts_of_recipe_files(tmp_path: object) -> None:
    for view in (
        nw.data.Fold(data=nw.data.wine(), number=2),
        nw.data.Fewer(data=nw.data.Fold(data=nw.data.wine()), rows=30),
    ):
        recipe = RECIPE.but(data=view, network=nw.MLP((13, 4, 3)))
        again = recipe_from_bytes(nw.recipe_text(recipe).encode())
        assert again == recipe
        assert again.hash == recipe.hash


def test_a_cross_validation_is_the_runs_of_its_folds() -> None:
    found = nw.cross_validate(RECIPE, folds=3, repeats=2, jobs=1)
    assert len(found.values) == 6
    run = nw.fit(
        RECIPE.but(data=nw.data.Fold(data=RECIPE.data, folds=3, number=1, repeat=1)), test=False
    )
    assert found.values[4] == run.history.of("valid.accuracy").last
    assert found.losses[4] == run.history.of("valid.loss").last
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
    )
    assert values[best.recipe.seed] == max(values)


def test_a_curve_of_a_loss_has_values_of_this_metric_on_both_parts() -> None:
    recipe = nw.Recipe(
        data=nw.data.iris(), network=nw.MLP((4, 16, 3)), epochs=20, metric="log_loss"
    )
    curve = nw.learning_curve(recipe, (20, 80), seeds=(0,), jobs=1)
    assert curve.metric == "log_loss"
    assert all(value < 0 for value in (*curve.train[-1], *curve.valid[-1]))
    assert curve.valid[-1][0] == pytest.approx(-curve.valid_loss[-1][0], abs=1e-5)


@pytest.mark.parametrize(("valid", "gap"), [(-0.52, "closed"), (-0.6, "wide")])
def test_the_gap_of_a_loss_is_measured_by_its_size(valid: float, gap: str) -> None:
    curve = nw.LearningCurve((9,), ((-0.5,),), ((valid,),), ((0.5,),), ((-valid,),), "log_loss")
    assert curve.gap == gap
    large = nw.LearningCurve((9,), ((-500.0,),), ((1000 * valid,),), ((),), ((),), "rmse")
    assert large.gap == gap
