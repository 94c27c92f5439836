"""Comparisons name the runs that diverged, and have no result where all did."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
from sklearn.exceptions import ConvergenceWarning

import netwise as nw
from netwise.searches import validation
from netwise.training import parallel
from netwise.treatment.trials import compare

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=2
)
WILD = RECIPE.but(optimizer=nw.SGD(lr=1e30))
COMPARISONS: dict[str, Callable[[nw.Recipe], object]] = {
    "folds": lambda recipe: nw.cross_validate(recipe, folds=2, repeats=2, jobs=1),
    "curve": lambda recipe: nw.learning_curve(recipe, (20, 40), seeds=(0, 1), jobs=1),
    "starts": lambda recipe: nw.multi_start(recipe, 4, jobs=1),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_where_all_diverged_there_is_no_result(name: str) -> None:
    with pytest.raises(nw.TrainingDiverged, match=r"4 of 4 runs .* Lower .* optimizer.lr = 0.01"):
        COMPARISONS[name](WILD)


@pytest.mark.parametrize(
    ("name", "which"),
    [("folds", "fold 2 of repeat 1"), ("curve", "20 samples with seed 1"), ("starts", "seed 1")],
)
def test_one_that_diverged_is_named(name: str, which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_wild(recipes: list[nw.Recipe], **options: object) -> list[nw.Run]:
        changed = [
            each.but(optimizer=WILD.optimizer) if place == 1 else each
            for place, each in enumerate(recipes)
        ]
        return parallel.fit_many(changed, jobs=1)

    monkeypatch.setattr(validation, "fit_many", one_wild)
    with pytest.warns(ConvergenceWarning, match=rf"1 of 4 runs diverged \({which}\)") as told:
        result = COMPARISONS[name](RECIPE)
    assert [each.filename for each in told] == [__file__]
    if name == "starts":
        best, values = result
        assert best.recipe.seed != 1
        assert values[1] == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", COMPARISONS)
def test_healthy_ones_warn_of_nothing(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        COMPARISONS[name](RECIPE)


def test_a_remedy_with_a_run_that_diverges_does_not_help() -> None:
    slow = RECIPE.but(optimizer=nw.SGD(lr=1e-7))
    before = nw.fit_many([slow.but(seed=seed) for seed in range(3)], jobs=1)
    after = nw.fit_many([RECIPE.but(seed=seed, epochs=20) for seed in range(2)], jobs=1)
    (wild,) = nw.fit_many([WILD.but(seed=2)], jobs=1)
    sound = compare("faster", before[:2], after, RECIPE)
    assert sound.diverged_after == 0
    assert "diverged" not in sound.sentence
    result = compare("wild", before, [*after, wild], RECIPE)
    assert result.diverged_after == pytest.approx(1 / 3)
    assert not result.helps
    assert "0 of 3 runs without it diverged, 1 of 3 with it" in result.sentence
    cured = compare("cure", [wild, wild], after, RECIPE)
    assert (cured.diverged_before, cured.diverged_after) == (1, 0)
