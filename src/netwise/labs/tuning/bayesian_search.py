"""L59: Bayesian optimization (TPE, Gaussian process) against random search on trained networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.tuning.landscape import (
    POINTS,
    Floats,
    landscape,
    landscape_arms,
    landscape_hashes,
)
from netwise.part import integer
from netwise.report.pictures.drawing import COLOURS, figure, svg, use_log_scale
from netwise.searches.optuna_package import require_optuna

FIRST = 15  # the trial from which on the methods are compared: the first ten are random for all
SHOWN = (10, 15, 20, 30)  # trials after which the regret is a number of the lab

SamplerOfSeed = Callable[[int], Any]


@dataclass(frozen=True)
class SearchSettings(LabSettings):
    """What can be varied in L59.

    Args:
        searches: with each method. Default 20.
        random: trials that are drawn at random before a method uses results. Default 10.
    """

    searches: int = integer(20, least=3, most=200, because="a median over searches is judged")
    random: int = integer(10, least=1, most=29, because="a search has 30 trials")


def samplers(random: int = 10) -> dict[str, SamplerOfSeed]:
    """Makers of Optuna's samplers from a seed, by the name of the method; `random` trials are drawn
    at random first."""
    require_optuna()
    import optuna  # heavy

    return {
        "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
        "Bayesian (TPE)": lambda seed: optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=random
        ),
        "Bayesian (GP)": lambda seed: optuna.samplers.GPSampler(seed=seed, n_startup_trials=random),
    }


def best_so_far(table: Floats, sampler: Any, trials: int) -> list[float]:
    """The best value after each trial of an Optuna search over the cells of a table, each axis by
    its indices."""
    require_optuna()
    import optuna  # heavy

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    axes: dict[str, optuna.distributions.BaseDistribution] = {
        f"axis{i}": optuna.distributions.IntDistribution(0, size - 1)
        for i, size in enumerate(table.shape)
    }
    best: list[float] = []
    for _ in range(trials):
        trial = study.ask(axes)
        value = float(table[tuple(trial.params[name] for name in axes)])
        study.tell(trial, value)
        best.append(max(value, best[-1]) if best else value)
    return best


def regrets(table: Floats, make: SamplerOfSeed, searches: int, trials: int) -> Floats:
    """Percentage points below the best cell of the table after each trial, (searches, trials)."""
    best = [best_so_far(table, make(seed), trials) for seed in range(searches)]
    return np.asarray(POINTS * (table.max() - np.array(best)))


def bayesian_criteria(median: Mapping[str, Floats]) -> tuple[Criterion, ...]:
    """Criteria on the median regret after each trial, by method."""
    later = slice(FIRST - 1, None)
    least_lead = float((median["random"][later] - median["Bayesian (GP)"][later]).min())
    mean_lead = float(np.mean(median["random"][later] - median["Bayesian (TPE)"][later]))
    return (
        Criterion(
            "with a Gaussian process the median regret is at most that of random search after "
            "each trial from the 15th on (smallest lead in percentage points)",
            least_lead,
            least_lead >= 0,
        ),
        Criterion(
            "with TPE the median regret is lower on average over these trials (mean lead in "
            "percentage points)",
            mean_lead,
            mean_lead > 0,
        ),
    )


def run_l59(settings: SearchSettings) -> LabResult:
    table = landscape().final
    regret = {
        name: regrets(table, make, settings.searches, SHOWN[-1])
        for name, make in samplers(settings.random).items()
    }
    median = {name: np.median(rows, 0) for name, rows in regret.items()}
    numbers = {
        f"{name}: median regret after {trials} trials, points": float(rows[trials - 1])
        for name, rows in median.items()
        for trials in SHOWN
    }
    seeds = tuple(range(settings.searches))
    picture = _regret_by_trial(regret)
    return LabResult(numbers, bayesian_criteria(median), picture, landscape_hashes(), seeds)


def _regret_by_trial(regret: Mapping[str, Floats]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, rows), colour in zip(regret.items(), COLOURS, strict=False):
            trials = range(1, rows.shape[1] + 1)
            low, high = np.quantile(rows, [0.25, 0.75], axis=0)
            axis.plot(trials, np.median(rows, 0), color=colour, label=name)
            axis.fill_between(trials, low, high, color=colour, alpha=0.15, linewidth=0)
        use_log_scale(axis, "y", linear_below=0.1)
        axis.set_xlabel("trials")
        axis.set_ylabel("points below the best of the table")
        axis.set_title("Median regret, quartiles shaded")
        axis.legend(fontsize=8)
        return svg(drawing, "Regret of searches")


L59 = Lab(
    "L59", lab_texts()["L59"], run_l59, SearchSettings(), arms=lambda _: landscape_arms(), minutes=1
)
