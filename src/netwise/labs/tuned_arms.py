"""Arms of an experiment that differ in their activation: each at the best of the same learning
rates, then compared over paired seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from netwise import intervals
from netwise.errors import Problem
from netwise.labs.lab_definition import LabSettings
from netwise.labs.runs import final_accuracy, signal_values, train_whole
from netwise.part import numbers
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.signals import TRAIN_LOSS
from netwise.training.run import Run

TUNING_SEEDS = (100, 101)  # others than those that are compared


@dataclass(frozen=True)
class TunedSettings(LabSettings):
    """Settings of a lab whose arms have each their best learning rate.

    Args:
        rates: learning rates to choose from. Default 0.03, 0.1, 0.3.
    """

    rates: tuple[float, ...] = numbers(
        (0.03, 0.1, 0.3), above=0, because="the best of them is chosen"
    )

    def conflicts(self) -> list[Problem]:
        if not self.rates:
            return [Problem("rates", "[]", "has no rate to choose", "[0.1]")]
        return super().conflicts()


@dataclass(frozen=True, eq=False)
class TunedArm:
    """One arm.

    Args:
        rate: the learning rate that was chosen.
        runs: one for each seed, at this rate.
    """

    rate: float
    runs: Sequence[Run]

    def values(self, measure: Callable[[Run], float]) -> list[float]:
        """A measurement of each run."""
        return [measure(run) for run in self.runs]


def best_rate(
    recipe: Recipe, rates: Sequence[float], tuning_seeds: Sequence[int] = TUNING_SEEDS
) -> float:
    """The rate with the highest mean validation accuracy at the end, over seeds of its own; a lone
    rate is not tried."""

    def accuracy(rate: float) -> float:
        tried = with_learning_rate(recipe, rate)
        return fmean(
            final_accuracy(train_whole(tried.but(seed=seed), watch_every=0, test=False))
            for seed in tuning_seeds
        )

    return max(rates, key=accuracy) if len(rates) > 1 else rates[0]


def tune_and_train(
    arms: Mapping[str, Recipe],
    rates: Sequence[float],
    seeds: Sequence[int],
    tuning_seeds: Sequence[int] = TUNING_SEEDS,
) -> dict[str, TunedArm]:
    """Each arm at its best rate, from each seed."""
    tuned = {}
    for name, recipe in arms.items():
        rate = best_rate(recipe, rates, tuning_seeds)
        chosen = with_learning_rate(recipe, rate)
        runs = [train_whole(chosen.but(seed=seed), watch_every=0, test=False) for seed in seeds]
        tuned[name] = TunedArm(rate, runs)
    return tuned


def mean_training_loss(run: Run) -> float:
    """The training loss in the mean over the epochs: lower where a network learns faster."""
    return fmean(signal_values(run, TRAIN_LOSS))


def paired_numbers(name: str, a: Sequence[float], b: Sequence[float]) -> dict[str, float]:
    """Mean and 95 % interval of a - b over paired seeds, under a name."""
    mean, low, high = intervals.of_mean([x - y for x, y in zip(a, b, strict=True)])
    return {name: mean, f"{name}, low": low, f"{name}, high": high}
