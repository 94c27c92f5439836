"""`trial`: does a remedy help? Paired runs over seeds, equal but for the one change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from netwise.diagnosis import RULES, Rule, diagnose
from netwise.errors import WrongValue
from netwise.intervals import of_mean
from netwise.recipe.checks import hindrances
from netwise.recipe.recipe import Recipe, recipe_diff
from netwise.training.divergence import diverged
from netwise.training.parallel import fit_many
from netwise.training.run import Run
from netwise.treatment.goals import final_valid_loss, gain_unit, goal
from netwise.treatment.remedies import NotApplicable, Remedy

# Five pairs are the fewest with a usable 95 % interval: t = 2.8 at four degrees of freedom.
SEEDS = (0, 1, 2, 3, 4)
NEAR_CHANCE = 1.5  # accuracy over that of guessing, below which a network has learned nothing
SELDOM = 0.25  # share of the runs below which a finding is one of the seed
POINTS, NATS = "points", "nats"  # hundredths of a share; log-likelihood


@dataclass(frozen=True)
class TrialResult:
    """What a paired trial of one remedy measured.

    Args:
        remedy: its name.
        seeds: of the pairs.
        before, after: the goal of each run without and with the remedy, on the validation part:
            accuracy or R², or the metric of the recipe, of a loss or an error its negative; of an
            energy model its log-likelihood in nats.
        gain: mean of the paired differences, after - before.
        low, high: its 95 % interval (Student's t over the pairs); equal to `gain` where all pairs
            have the same gain.
        loss_gain, loss_low, loss_high: the same for the fall of the validation loss.
        finding: name of the finding that the remedy should cure, or "".
        sick_before, sick_after: share of the runs with that finding.
        cost: training time with the remedy over training time without it.
        recipe: the treated recipe, or None where the remedy is not applicable.
        not_applicable: why the remedy cannot change this recipe, or "".
        note: what to conclude where the interval alone would mislead, or "".
        unit: of the gain for people: "points" (hundredths of accuracy or R²), "nats", or
            that of the metric.
        diverged_before, diverged_after: share of the runs that diverged; their goal is that of
            guessing.

    Example:
        >>> import netwise as nw
        >>> case = nw.gallery.sick["rate_too_low"]
        >>> adam = nw.remedy("use_adam")
        >>> result = nw.trial(case.recipe, adam, finding="rate_too_low", seeds=(0, 1), jobs=1)
        >>> result.gain > 0.5, result.sick_before, result.sick_after
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
    unit: str = POINTS
    diverged_before: float = 0.0
    diverged_after: float = 0.0

    @property
    def helps(self) -> bool:
        """Whether the goal rose (its whole 95 % interval is above 0), the finding is gone from most
        runs, and no run with the remedy diverged.

        Where the goal did not change beyond its interval, a fall of the validation loss beyond its
        own interval is enough: a network that overfits may give the same answers, but with too
        much confidence in the wrong ones.
        """
        better = self.low > 0 or (self.loss_low > 0 and self.high >= 0)
        is_sound = self.sick_after < 0.5 and not self.diverged_after
        return not self.not_applicable and better and is_sound

    @property
    def sentence(self) -> str:
        """The result in one line."""
        if self.not_applicable:
            return f"not applicable: {self.not_applicable}"
        gain, low, high = (self.display_scale * value for value in (self.gain, self.low, self.high))
        form = "+.1f" if self.unit in (POINTS, NATS) else "+.3g"
        text = f"gain {gain:{form}} {self.unit} (95 % interval {low:{form}} to {high:{form}})"
        if self.helps and self.low <= 0:
            change, least, most = -self.loss_gain, -self.loss_high, -self.loss_low
            text += f", validation loss {change:+.2g} ({least:+.2g} to {most:+.2g})"
        if self.finding:
            runs = len(self.seeds)
            before, after = (round(share * runs) for share in (self.sick_before, self.sick_after))
            text += f"; {self.finding.replace('_', ' ')} found in {before} of {runs} runs without"
            text += f" it, {after} of {runs} with it"
        if self.diverged_before or self.diverged_after:
            runs = len(self.seeds)
            before, after = (
                round(share * runs) for share in (self.diverged_before, self.diverged_after)
            )
            text += f"; {before} of {runs} runs without it diverged, {after} of {runs} with it"
        note = f" ({self.note})" if self.note else ""
        return f"{text}; training takes {self.cost:.1f} times as long{note}"

    @property
    def display_scale(self) -> int:
        """What the goal is multiplied by to show it in `unit`."""
        return 100 if self.unit == POINTS else 1


def trial(
    recipe: Recipe,
    remedy: Remedy,
    *,
    finding: str = "",
    seeds: Sequence[int] = SEEDS,
    jobs: int | None = None,
    untreated: Sequence[Run] = (),
    rules: Sequence[Rule] = RULES,
    done: Callable[[Run], None] | None = None,
) -> TrialResult:
    """Run `recipe` with and without `remedy` over `seeds`, in pairs.

    Args:
        recipe: the one with the finding.
        remedy: the change to try.
        finding: name of the finding that it should cure; whether it is gone is reported beside the
            gain.
        seeds: at least two. Default five.
        jobs: runs at a time, as in `fit_many`.
        untreated: runs of `recipe` over the same seeds, where there are some already.
        rules: those that look for the finding. Default: all of netwise.
        done: called with each run when it has ended.

    Raises:
        WrongValue: fewer than two seeds, or `untreated` of other seeds.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.suggest(nw.data.iris(), epochs=3)
        >>> nw.trial(recipe, nw.remedy("use_relu")).not_applicable
        'the hidden layers are ReLU already'
    """
    seeds = tuple(seeds)
    _check_pairs(seeds, untreated)
    treated = remedy.apply(recipe)
    if isinstance(treated, NotApplicable):
        return TrialResult(remedy.name, finding=finding, not_applicable=treated.reason)
    problems = hindrances(treated)
    if problems and not hindrances(recipe):  # a remedy knows its own part of a recipe only
        reason = f"the recipe could not run with it: {problems[0]}"
        return TrialResult(remedy.name, finding=finding, not_applicable=reason)
    recipes = [recipe.but(seed=seed) for seed in seeds] if not untreated else []
    recipes += [treated.but(seed=seed) for seed in seeds]
    runs = fit_many(recipes, jobs=jobs, done=(lambda place, run: done(run)) if done else None)
    before = list(untreated) or runs[: len(seeds)]
    return compare(remedy.name, before, runs[-len(seeds) :], treated, finding, rules)


def _check_pairs(seeds: tuple[int, ...], untreated: Sequence[Run]) -> None:
    """Raise where the seeds make no pairs, or the runs that are there already are not of them."""
    if len(set(seeds)) != len(seeds) or len(seeds) < 2:
        why = "must be at least two different numbers: one pair has no spread"
        raise WrongValue.of("trial", "seeds", str(seeds), why, "(0, 1, 2, 3, 4)")
    given = [run.recipe.seed for run in untreated]
    if untreated and given != list(seeds):
        why = "must be runs of the same seeds in the same order: they are compared in pairs"
        runs = f"[fit(recipe.but(seed=seed), test=False) for seed in {seeds}]"
        raise WrongValue.of("trial", "untreated", f"runs of seeds {given}", why, runs)


def compare(
    name: str,
    before: Sequence[Run],
    after: Sequence[Run],
    treated: Recipe,
    finding: str = "",
    rules: Sequence[Rule] = RULES,
) -> TrialResult:
    """The result of a trial from its runs, paired by their seeds."""
    goals_before, goals_after = (tuple(goal(run) for run in runs) for runs in (before, after))
    gains = [b - a for a, b in zip(goals_before, goals_after, strict=True)]
    gain, low, high = of_mean(gains)
    loss_gain, loss_low, loss_high = of_mean(
        [final_valid_loss(a) - final_valid_loss(b) for a, b in zip(before, after, strict=True)]
    )
    sick_before = _share_with(finding, before, rules)
    seconds_before, seconds_after = (
        sum(run.history.made_by.seconds for run in runs) for runs in (before, after)
    )
    return TrialResult(
        name,
        seeds=tuple(run.recipe.seed for run in before),
        before=goals_before,
        after=goals_after,
        gain=gain,
        low=low,
        high=high,
        loss_gain=loss_gain,
        loss_low=loss_low,
        loss_high=loss_high,
        finding=finding,
        sick_before=sick_before,
        sick_after=_share_with(finding, after, rules),
        diverged_before=fmean(map(diverged, before)),
        diverged_after=fmean(map(diverged, after)),
        cost=seconds_after / seconds_before if seconds_before > 0 else 1.0,
        recipe=treated,
        note="; ".join(
            filter(None, (_note(gains, goals_after, after), _luck(finding, before, sick_before)))
        ),
        unit=gain_unit(after[0].history),
    )


def _share_with(finding: str, runs: Sequence[Run], rules: Sequence[Rule]) -> float:
    """Share of the runs in which the finding is present."""
    if not finding:
        return 0.0
    return sum(finding in diagnose(run, rules).names for run in runs) / len(runs)


def _note(gains: Sequence[float], after: Sequence[float], runs: Sequence[Run]) -> str:
    """What to conclude where the interval alone would mislead."""
    facts = runs[0].history.facts
    is_share = facts.metric in (None, "accuracy", "balanced_accuracy")
    classes = facts.classes if is_share else None
    if classes and fmean(after) < NEAR_CHANCE / classes and abs(fmean(gains)) < 0.5 / classes:
        return (
            "accuracy is near chance with and without it: "
            "this remedy alone does not make the network learn"
        )
    if stdev(gains) == 0:
        return "every pair has exactly the same gain, so the interval has no width: use more seeds"
    return ""


def _luck(finding: str, before: Sequence[Run], sick: float) -> str:
    """What to conclude where hardly a run without the remedy has the finding."""
    if not finding or sick >= SELDOM:
        return ""
    name = finding.replace("_", " ")
    return (
        f"{name} is in {round(sick * len(before))} of {len(before)} runs without it, so it depends "
        "on the seed: what is gained is no cure of it"
    )


def trial_as_dict(result: TrialResult) -> dict[str, Any]:
    """A trial's result as plain values, for `--json`."""
    return {
        "remedy": result.remedy,
        "unfit": result.not_applicable or None,
        "seeds": list(result.seeds),
        "before": list(result.before),
        "after": list(result.after),
        "gain": result.gain,
        "low": result.low,
        "high": result.high,
        "loss_gain": result.loss_gain,
        "loss_low": result.loss_low,
        "loss_high": result.loss_high,
        "finding": result.finding or None,
        "sick_before": result.sick_before,
        "sick_after": result.sick_after,
        "diverged_before": result.diverged_before,
        "diverged_after": result.diverged_after,
        "cost": result.cost,
        "helps": result.helps,
        "note": result.note or None,
        "unit": result.unit,
    }


def describe_changes(before: Recipe, after: Recipe) -> list[str]:
    """The fields in which two recipes differ, each as `field: before -> after`."""
    return [f"{name}: {old} -> {new}" for name, (old, new) in recipe_diff(before, after).items()]
