"""Paired trials: what a verdict says, and when its interval says nothing."""

from __future__ import annotations

import math

import pytest

import netwise as nw
from netwise.treatment.trials import goal

SICK = nw.gallery.sick["rate_too_low"].recipe


def test_pairs_share_seed_and_start() -> None:
    verdict = nw.trial(SICK, nw.remedy("use_adam"), finding="rate_too_low", seeds=(3, 4, 5), jobs=1)
    assert verdict.seeds == (3, 4, 5)
    assert verdict.recipe is not None
    assert verdict.recipe.optimizer == nw.Adam()
    for seed, before, after in zip(verdict.seeds, verdict.before, verdict.after, strict=True):
        assert goal(nw.fit(SICK.but(seed=seed), test=False)) == before
        assert goal(nw.fit(verdict.recipe.but(seed=seed), test=False)) == after
    assert verdict.gain == pytest.approx(
        sum(b - a for a, b in zip(verdict.before, verdict.after, strict=True)) / 3
    )
    assert (verdict.sick_before, verdict.sick_after) == (1.0, 0.0)
    assert verdict.helps
    assert verdict.sentence.startswith(f"gain {100 * verdict.gain:+.1f} points (95 % interval ")


def test_a_remedy_that_does_nothing_does_not_help() -> None:
    same = nw.Remedy(
        "nothing",
        "nothing",
        ("not_learning",),
        lambda recipe: recipe,
        "write nothing at all",
        "none",
    )
    verdict = nw.trial(SICK, same, finding="rate_too_low", seeds=(0, 1), jobs=1)
    assert verdict.gain == 0
    assert not verdict.helps
    assert "near chance" in verdict.note


def test_a_gain_without_a_cure_does_not_help() -> None:
    half = nw.Remedy(
        "ten times",
        "ten times the rate",
        ("rate_too_low",),
        lambda r: r.but(optimizer=nw.SGD(lr=r.optimizer.lr * 10)),
        "lr * 10",
        "none",
    )
    verdict = nw.trial(SICK, half, finding="rate_too_low", seeds=(0, 1), jobs=1)
    assert verdict.sick_after == 1.0
    assert not verdict.helps


def test_runs_that_are_there_already_are_not_repeated() -> None:
    untreated = nw.fit_many([SICK.but(seed=s) for s in (0, 1)], jobs=1)
    ended: list[nw.Run] = []
    verdict = nw.trial(
        SICK, nw.remedy("use_adam"), seeds=(0, 1), untreated=untreated, jobs=1, done=ended.append
    )
    assert len(ended) == 2
    assert verdict.before == tuple(goal(run) for run in untreated)
    with pytest.raises(nw.WrongValue, match="must be runs of the seeds"):
        nw.trial(SICK, nw.remedy("use_adam"), seeds=(1, 0), untreated=untreated)


@pytest.mark.parametrize("seeds", [(0,), (1, 1), ()])
def test_seeds_that_make_no_pairs_are_refused(seeds: tuple[int, ...]) -> None:
    with pytest.raises(nw.WrongValue, match="at least two different ones"):
        nw.trial(SICK, nw.remedy("use_adam"), seeds=seeds)


def test_a_diverged_run_is_worth_a_guess() -> None:
    run = nw.fit(
        nw.Recipe(
            data=nw.data.digits(), network=nw.MLP((64, 32, 10)), init=nw.He(gain=1e30), epochs=1
        )
    )
    assert run.history.ended.how == "diverged"
    assert goal(run) == pytest.approx(0.1)


def test_the_goal_is_that_of_the_weights_the_run_ended_with() -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(valid=0.45, test=0.5),
        network=nw.MLP((64, 64, 10)),
        optimizer=nw.Adam(lr=0.02),
        batch_size=16,
        epochs=60,
        stopping=nw.Patience(4),
    )
    run = nw.fit(recipe)
    losses, shares = run.history.of("valid.loss"), run.history.of("valid.accuracy")
    assert losses is not None
    assert shares is not None
    assert goal(run) == shares.values[losses.values.index(min(losses.values))]
    assert math.isfinite(goal(run))
