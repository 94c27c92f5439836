"""What is measured of a run of a recipe."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

import netwise as nw

Measure = Callable[[nw.Run], float]


def score_percent(run: nw.Run) -> float:
    """The score of the test part in %: accuracy, R², or patterns recalled."""
    assert run.score is not None
    return 100 * run.score.value


def error_percent(run: nw.Run) -> float:
    return 100 - score_percent(run)


def best_epoch_percent(run: nw.Run) -> float:
    """The best validation accuracy of any epoch, which is what Nielsen's book reports."""
    series = run.history.of("valid.accuracy")
    assert series is not None
    return 100 * max(series.values)


def epochs_to(run: nw.Run, accuracy: float) -> int:
    """Epochs until the validation accuracy is reached; one more than there are where it is not."""
    series = run.history.of("valid.accuracy")
    values = [] if series is None else series.values
    reached = (epoch for epoch, value in enumerate(values, start=1) if value >= accuracy)
    return next(reached, run.recipe.epochs + 1)


def epochs_to_85(run: nw.Run) -> float:
    return float(epochs_to(run, 0.85))


def constant_over_cyclical(run: nw.Run) -> float:
    """Epochs to 81.4 % at a constant rate over those of this cyclical run. The constant rate is the
    best of the lowest and the highest of the cycle and their geometric mean."""
    recipe = run.recipe
    assert isinstance(recipe.schedule, nw.Cyclical)
    factors = (recipe.schedule.low, math.sqrt(recipe.schedule.low), 1.0)
    constant = [
        recipe.but(
            optimizer=recipe.optimizer.but(lr=factor * recipe.optimizer.lr),
            schedule=nw.ConstantRate(),
        )
        for factor in factors
    ]
    best = min(epochs_to(nw.fit(each), 0.814) for each in constant)
    return best / epochs_to(run, 0.814)


def lowest_valid_loss(run: nw.Run) -> float:
    series = run.history.of("valid.loss")
    assert series is not None
    return min(series.values)


def exact_nats(run: nw.Run) -> float:
    """Mean log-likelihood of the test part by a sum over all states."""
    assert run.score is not None
    assert run.score.how == "exact", run.score
    return run.score.value


def both_bounds(run: nw.Run) -> dict[str, float]:
    """Mean log-likelihood of the test part with ln Z estimated from below by AIS and from above by
    reverse AIS: 500 chains and 10,000 temperatures each."""
    samples = run.recipe.data.load()
    g = torch.Generator().manual_seed(run.recipe.seed)
    rows = torch.randperm(len(samples.train), generator=g)[:500]
    estimates = {
        "AIS": nw.energy.ais(run.module, chains=500, temperatures=10_000),
        "reverse AIS": nw.energy.reverse_ais(
            run.module, samples.train.x[rows], temperatures=10_000, burn_in=2000
        ),
    }
    values = {}
    for name, estimate in estimates.items():
        nats = nw.energy.log_likelihood(run.module, samples.test.x, log_z=estimate.log_z)
        values[name] = float(nats.mean())
        values[f"{name}, 3 standard errors"] = 3 * estimate.error
    return values


def smaller_bound(run: nw.Run) -> float:
    """Placeholder: `record_run` takes the smaller value of `both_bounds`, which takes minutes."""
    return math.nan


def encoder_percent(run: nw.Run) -> float:
    """Share in % of the patterns of an encoder problem whose second half is completed correctly
    from the first."""
    units = run.module.visible // 2
    patterns = torch.eye(units).repeat(1, 2)
    known = torch.arange(2 * units) < units
    completed = run.module.complete(patterns, known, steps=400)[:, units:].argmax(1)
    return 100 * float((completed == torch.arange(units)).float().mean())


def evidence_lower_bound(run: nw.Run) -> float:
    """Mean lower bound of ln p of the test images, with one draw of the code for each."""
    samples = run.recipe.data.load()
    torch.manual_seed(run.recipe.seed)
    with torch.no_grad():
        return -float(run.module.cost(samples.test.x, samples.test.x.flatten(1)))
