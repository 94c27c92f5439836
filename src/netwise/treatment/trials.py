"""`trial`: does a remedy help? Paired runs over seeds: same start, same batches, one thing
changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from netwise.diagnosis.report import diagnose
from netwise.errors import Problem, WrongValue
from netwise.history import DIVERGED, History
from netwise.intervals import of_mean
from netwise.recipe.recipe import Recipe, recipe_diff
from netwise.signals import (
    BASE_RATE_LIKELIHOOD,
    LOG_LIKELIHOOD,
    MASKED_R2,
    MEMORY_NOISE,
    MEMORY_RECOVERED,
    PSEUDO_LIKELIHOOD,
    TRAIN_ACCURACY,
    VALID_ACCURACY,
    VALID_LOSS,
    VALID_R2,
)
from netwise.tasks import CLASSIFICATION, DENSITY, MEMORY, RECONSTRUCTION
from netwise.training.parallel import fit_many
from netwise.training.run import Run
from netwise.treatment.remedies import NotApplicable, Remedy

SEEDS = (
    0,
    1,
    2,
    3,
    4,
)  # five pairs: the fewest whose 95 % interval is of use (t = 2.8 at four degrees of freedom)


@dataclass(frozen=True)
class TrialResult:
    """What a paired trial of one remedy says.

    Args:
        remedy: its name.
        seeds: of the pairs.
        before, after: the goal of each run on the validation part: accuracy or R²; of an energy
            model its likelihood in nats.
        gain: mean of the paired differences.
        low, high: its 95 % interval (Student's t over the pairs); equal to `gain` where all pairs
            agree.
        loss_gain, loss_low, loss_high: the same for the fall of the validation loss.
        finding: what the remedy was to cure, or "".
        sick_before, sick_after: share of the runs in which it was found.
        cost: time of the treated runs over that of the others.
        recipe: the treated recipe, or None where the remedy was unfit.
        not_applicable: why the remedy makes no sense here, or "".
        note: where the interval says little, why.
        unit: of the gain for people: "points", hundredths of a share, or "nats".

    Example:
        >>> import netwise as nw
        >>> specimen = nw.gallery.sick["rate_too_low"]
        >>> verdict = nw.trial(specimen.recipe, nw.remedy("use_adam"), finding="rate_too_low", seeds=(0, 1), jobs=1)
        >>> verdict.gain > 0.5, verdict.sick_before, verdict.sick_after
        (True, 1.0, 0.0)
    """

    remedy: str
    seeds: tuple[int, ...] = ()
    before: tuple[float, ...] = ()
    after: tuple[float, ...] = ()
    gain: float = 0.0
    low: float = 0.0
    high: float = 0.0
    loss_gain: float = 0.0
    loss_low: float = 0.0
    loss_high: float = 0.0
    finding: str = ""
    sick_before: float = 0.0
    sick_after: float = 0.0
    cost: float = 1.0
    recipe: Recipe | None = None
    not_applicable: str = ""
    note: str = ""
    unit: str = "points"

    @property
    def helps(self) -> bool:
        """The goal rose beyond doubt (the whole interval lies above 0) and the finding is gone from
        most runs.

        Where the goal itself did not move beyond doubt, a validation loss that fell beyond doubt
        counts as well: an overfitted network answers as rightly, but is sure where it is wrong.
        """
        better = self.low > 0 or (self.loss_low > 0 and self.high >= 0)
        return not self.not_applicable and better and self.sick_after < 0.5

    @property
    def sentence(self) -> str:
        if self.not_applicable:
            return f"not applicable: {self.not_applicable}"
        gone = (
            ""
            if not self.finding
            else f"; {self.finding.replace('_', ' ')} in {_of(self.sick_before, self.seeds)} before, {_of(self.sick_after, self.seeds)} after"
        )
        note = f" ({self.note})" if self.note else ""
        if self.helps and self.low <= 0:
            gone = (
                f", validation loss {-self.loss_gain:+.2g} ({-self.loss_high:+.2g} to {-self.loss_low:+.2g})"
                + gone
            )
        gain, low, high = (self.display_scale * value for value in (self.gain, self.low, self.high))
        return f"gain {gain:+.1f} {self.unit} (95 % interval {low:+.1f} to {high:+.1f}){gone}; {self.cost:.1f} times the time{note}"

    @property
    def display_scale(self) -> int:
        """From the goal to the unit it is told in."""
        return 100 if self.unit == "points" else 1


def _of(share: float, seeds: tuple[int, ...]) -> str:
    return f"{round(share * len(seeds))} of {len(seeds)}"


def goal(run: Run) -> float:
    """What a run is for: accuracy (or R²) on the validation part, of the weights that it ended
    with.

    A run that diverged is worth a guess: one over the number of classes, or an R² of 0. Of an
    autoencoder it is the share of the variance given back of inputs of which a quarter was masked,
    which a copy does not do well; of an energy model the likelihood in nats, exact where it is
    known, else the pseudo-likelihood; of a memory the share of patterns found again from a tenth of
    turned units.
    """
    return goal_of(run.history, run.recipe)


def goal_of(history: History, recipe: Recipe) -> float:
    """`goal` of a run that is known by its history and its recipe."""
    facts = history.facts
    if facts.task == DENSITY:
        return _nats(history)
    if facts.task == MEMORY:
        noise, found = history.of(MEMORY_NOISE), history.of(MEMORY_RECOVERED)
        return (
            0.0
            if noise is None or found is None
            else max(
                (v for n, v in zip(noise.values, found.values, strict=True) if n >= 0.1),
                default=0.0,
            )
        )
    if history.ended.how == DIVERGED:
        return 1 / (facts.classes or 2) if facts.task == CLASSIFICATION else 0.0
    if facts.task == RECONSTRUCTION:
        masked = history.of(MASKED_R2)
        if masked is not None and math.isfinite(masked.last):
            return masked.last
    series = history.of(VALID_ACCURACY) or history.of(VALID_R2) or history.of(TRAIN_ACCURACY)
    if series is None:
        return 0.0
    value = series.last
    if recipe.stopping.keeps_best:
        losses = history.of(VALID_LOSS)
        if losses is not None and losses.finite:
            value = series.values[losses.values.index(min(losses.finite))]
    return value if math.isfinite(value) else 0.0


def _nats(history: History) -> float:
    base = history.of(BASE_RATE_LIKELIHOOD)
    least = base.finite[-1] if base is not None and base.finite else 0.0
    series = history.of(LOG_LIKELIHOOD) or history.of(PSEUDO_LIKELIHOOD)
    if series is None:
        loss = history.of(VALID_LOSS)
        return -loss.last if loss is not None and math.isfinite(loss.last) else least
    return series.last if math.isfinite(series.last) and history.ended.how != DIVERGED else least


def trial(
    recipe: Recipe,
    remedy: Remedy,
    *,
    finding: str = "",
    seeds: Sequence[int] = SEEDS,
    jobs: int | None = None,
    untreated: Sequence[Run] = (),
    done: Callable[[Run], None] | None = None,
) -> TrialResult:
    """Run `recipe` with and without `remedy` over `seeds`, in pairs.

    Args:
        recipe: the sick one.
        remedy: what is tried.
        finding: what it is to cure; whether that is gone is told apart from the gain.
        seeds: at least two. Default five.
        jobs: runs at a time, as in `fit_many`.
        untreated: runs of `recipe` over the same seeds, where there are some already.
        done: called with each run as it ends.

    Raises:
        WrongValue: fewer than two seeds, or `untreated` of other seeds.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.suggest(nw.data.iris(), epochs=3)
        >>> nw.trial(recipe, nw.remedy("use_relu")).not_applicable
        'the hidden layers are ReLU already'
    """
    seeds = tuple(seeds)
    if len(set(seeds)) != len(seeds) or len(seeds) < 2:
        raise WrongValue(
            "trial",
            [
                Problem(
                    "seeds",
                    str(seeds),
                    "must be at least two different ones: one pair has no spread",
                    "(0, 1, 2, 3, 4)",
                )
            ],
        )
    if untreated and [run.recipe.seed for run in untreated] != list(seeds):
        raise WrongValue(
            "trial",
            [
                Problem(
                    "untreated",
                    str([r.recipe.seed for r in untreated]),
                    f"must be runs of the seeds {seeds}",
                )
            ],
        )
    treated = remedy.apply(recipe)
    if isinstance(treated, NotApplicable):
        return TrialResult(remedy.name, finding=finding, not_applicable=treated.reason)
    arms = [recipe.but(seed=seed) for seed in seeds] if not untreated else []
    arms += [treated.but(seed=seed) for seed in seeds]
    runs = fit_many(arms, jobs=jobs, done=(lambda place, run: done(run)) if done else None)
    before = list(untreated) or runs[: len(seeds)]
    return compare(remedy.name, before, runs[-len(seeds) :], treated, finding)


def compare(
    name: str, before: Sequence[Run], after: Sequence[Run], treated: Recipe, finding: str = ""
) -> TrialResult:
    """The verdict on runs that are paired by their seeds."""
    one, other = tuple(goal(run) for run in before), tuple(goal(run) for run in after)
    gains = [b - a for a, b in zip(one, other, strict=True)]
    gain, low, high = of_mean(gains)
    losses = [paired_losses(a, b) for a, b in zip(before, after, strict=True)]
    fall, least, most = of_mean(losses)
    sick = [
        sum(bool(finding) and finding in diagnose(run).names for run in arm) / len(arm)
        for arm in (before, after)
    ]
    time = [sum(run.history.made_by.seconds for run in arm) for arm in (before, after)]
    return TrialResult(
        name,
        tuple(run.recipe.seed for run in before),
        one,
        other,
        gain,
        low,
        high,
        fall,
        least,
        most,
        finding,
        sick[0],
        sick[1],
        time[1] / time[0] if time[0] > 0 else 1.0,
        treated,
        note=_note(gains, other, after),
        unit="nats" if after[0].history.facts.task == DENSITY else "points",
    )


def paired_losses(before: Run, after: Run) -> float:
    """How far the validation loss fell; a run that diverged has the loss of guessing."""
    return valid_loss(before) - valid_loss(after)


def valid_loss(run: Run) -> float:
    """The validation loss of the weights that a run ended with."""
    series = run.history.of(VALID_LOSS)
    if run.history.ended.how == DIVERGED or series is None or not series.finite:
        return run.history.facts.loss_of_guessing or 0.0
    if run.recipe.stopping.keeps_best:
        return min(series.finite)
    return series.last if math.isfinite(series.last) else max(series.finite)


def _note(gains: Sequence[float], after: Sequence[float], runs: Sequence[Run]) -> str:
    chance = 1 / (runs[0].history.facts.classes or 1) if runs[0].history.facts.classes else None
    if chance is not None and fmean(after) < 1.5 * chance and abs(fmean(gains)) < chance / 2:
        return "both arms are near chance: the interval says nothing about a cure"
    if stdev(gains) == 0:
        return "all pairs agree exactly: the interval has no width"
    return ""


def trial_as_dict(verdict: TrialResult) -> dict[str, Any]:
    """The verdict as plain values, for `--json`."""
    return {
        "remedy": verdict.remedy,
        "unfit": verdict.not_applicable or None,
        "seeds": list(verdict.seeds),
        "before": list(verdict.before),
        "after": list(verdict.after),
        "gain": verdict.gain,
        "low": verdict.low,
        "high": verdict.high,
        "loss_gain": verdict.loss_gain,
        "loss_low": verdict.loss_low,
        "loss_high": verdict.loss_high,
        "finding": verdict.finding or None,
        "sick_before": verdict.sick_before,
        "sick_after": verdict.sick_after,
        "cost": verdict.cost,
        "helps": verdict.helps,
        "note": verdict.note or None,
        "unit": verdict.unit,
    }


def describe_changes(before: Recipe, after: Recipe) -> list[str]:
    """What a treatment changed, as `field: before -> after`."""
    return [f"{name}: {old} -> {new}" for name, (old, new) in recipe_diff(before, after).items()]
