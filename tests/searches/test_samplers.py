"""Draws of a search: they depend on (seed, trial number, axis) alone."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
import pytest

import netwise as nw
from netwise import random_streams
from netwise.searches.samplers import TrialSeededSampler

optuna.logging.set_verbosity(optuna.logging.ERROR)


def points(sampler: optuna.samplers.BaseSampler, axes: Sequence[str], trials: int) -> list[dict]:
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for _ in range(trials):
        trial = study.ask()
        study.tell(trial, sum(trial.suggest_float(axis, 0.0, 1.0) for axis in axes))
    return [trial.params for trial in study.trials]


def test_a_draw_is_that_of_optunas_sampler_with_the_seed_of_trial_and_axis() -> None:
    drawn = points(TrialSeededSampler(nw.Random().sampler, 7), ("a", "b"), 3)
    distribution = optuna.distributions.FloatDistribution(0.0, 1.0)
    for number, point in enumerate(drawn):
        for axis, value in point.items():
            seed = random_streams.seed_of(7, f"search/{axis}", number) % 2**31
            reference = optuna.samplers.RandomSampler(seed=seed)
            assert value == reference.sample_independent(None, None, axis, distribution)


def test_an_axis_more_changes_no_draw_of_the_others() -> None:
    few = points(TrialSeededSampler(nw.Random().sampler, 0), ("b",), 5)
    more = points(TrialSeededSampler(nw.Random().sampler, 0), ("a", "b", "c"), 5)
    assert [point["b"] for point in few] == [point["b"] for point in more]


@pytest.mark.parametrize(
    "method",
    [nw.Random(), nw.Bayesian(startup=3), nw.Bayesian(surrogate="gp", startup=3)],
    ids=["random", "tpe", "gp"],
)
def test_another_worker_draws_the_same_next_point(method: nw.SearchMethod) -> None:
    """Each trial is drawn by a sampler of its own, as by workers that restart after each."""
    study = optuna.create_study(direction="maximize")
    alone = points(TrialSeededSampler(method.sampler, 3), ("a", "b"), 6)
    for _ in range(6):
        study.sampler = TrialSeededSampler(method.sampler, 3)
        trial = study.ask()
        study.tell(trial, sum(trial.suggest_float(axis, 0.0, 1.0) for axis in ("a", "b")))
    assert [trial.params for trial in study.trials] == alone


def test_seeds_differ() -> None:
    one, other = (points(TrialSeededSampler(nw.Random().sampler, s), ("a",), 4) for s in (0, 1))
    assert not {p["a"] for p in one} & {p["a"] for p in other}
