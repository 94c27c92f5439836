"""Paired trials: gains with their intervals, and what to conclude from them."""

from __future__ import annotations

import numpy as np
import pytest

import netwise as nw
from netwise.treatment.goals import goal

SICK = nw.gallery.sick["rate_too_low"].recipe


def test_pairs_share_seed_and_start() -> None:
    result = nw.trial(SICK, nw.remedy("use_adam"), finding="rate_too_low", seeds=(3, 4, 5), jobs=1)
    assert result.seeds == (3, 4, 5)
    assert result.recipe is not None
    assert result.recipe.optimizer == nw.Adam()
    for seed, before, after in zip(result.seeds, result.before, result.after, strict=True):
        assert goal(nw.fit(SICK.but(seed=seed), test=False)) == before
        assert goal(nw.fit(result.recipe.but(seed=seed), test=False)) == after
    assert result.gain == pytest.approx(
        sum(b - a for a, b in zip(result.before, result.after, strict=True)) / 3
    )
    assert (result.sick_before, result.sick_after) == (1.0, 0.0)
    assert result.helps
    assert result.sentence.startswith(f"gain {100 * result.gain:+.1f} points (95 % interval ")


def test_a_remedy_that_makes_a_recipe_that_cannot_run_is_not_applicable() -> None:
    """Scaled targets are no longer 0 and 1, as binary cross-entropy needs them."""
    x = np.random.default_rng(0).random((60, 8)).astype("float32")
    recipe = nw.Recipe(
        data=nw.data.arrays(x, (x[:, :1] > 0.5).astype("float32"), scale_target=False),
        network=nw.MLP((8, 16, 1), output=nw.Softmax()),
        loss=nw.BinaryCrossEntropy(),
        epochs=3,
    )
    result = nw.trial(recipe, nw.remedy("scale_targets"), seeds=(0, 1), jobs=1)
    assert result.not_applicable.startswith("the recipe could not run with it: ")
    assert result.before == ()


def test_a_remedy_that_does_nothing_does_not_help() -> None:
    same = nw.Remedy("nothing", "nothing", lambda recipe: recipe, "write nothing at all", "none")
    result = nw.trial(SICK, same, finding="rate_too_low", seeds=(0, 1), jobs=1)
    assert result.gain == 0
    assert not result.helps
    assert "this remedy alone does not make the network learn" in result.note


def test_a_gain_without_a_cure_does_not_help() -> None:
    half = nw.Remedy(
        "ten times",
        "ten times the rate",
        lambda r: r.but(optimizer=nw.SGD(lr=r.optimizer.lr * 10)),
        "lr * 10",
        "none",
    )
    result = nw.trial(SICK, half, finding="rate_too_low", seeds=(0, 1), jobs=1)
    assert result.sick_after == 1.0
    assert not result.helps


def test_runs_that_are_there_already_are_not_repeated() -> None:
    untreated = nw.fit_many([SICK.but(seed=s) for s in (0, 1)], jobs=1)
    ended: list[nw.Run] = []
    result = nw.trial(
        SICK, nw.remedy("use_adam"), seeds=(0, 1), untreated=untreated, jobs=1, done=ended.append
    )
    assert len(ended) == 2
    assert result.before == tuple(goal(run) for run in untreated)
    with pytest.raises(nw.WrongValue, match="must be runs of the same seeds in the same order"):
        nw.trial(SICK, nw.remedy("use_adam"), seeds=(1, 0), untreated=untreated)


@pytest.mark.parametrize("seeds", [(0,), (1, 1), ()])
def test_seeds_that_make_no_pairs_are_refused(seeds: tuple[int, ...]) -> None:
    with pytest.raises(nw.WrongValue, match="one pair has no spread. Write"):
        nw.trial(SICK, nw.remedy("use_adam"), seeds=seeds)
