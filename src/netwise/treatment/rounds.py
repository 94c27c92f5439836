"""`treat`: diagnose, try what answers the finding, keep what is proved to help; until nothing is
found or nothing helps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from netwise.diagnosis.report import Report, all_findings, diagnose
from netwise.diagnosis.rules import Finding
from netwise.recipe.recipe import Recipe
from netwise.tasks import DENSITY
from netwise.training.fit import fit
from netwise.training.parallel import fit_many
from netwise.training.run import Run
from netwise.treatment.remedies import remedy
from netwise.treatment.trials import SEEDS, TrialResult, compare, goal, trial

MOST_ROUNDS = 4  # findings that are treated one after another
FRESH = tuple(range(100, 105))  # seeds that no trial has chosen on


@dataclass(frozen=True)
class TreatmentRound:
    """One finding and the trials of what answers it.

    Args:
        recipe: before this round.
        report: its diagnosis.
        finding: the one that was treated.
        verdicts: of all remedies that were tried, in the order of the trials.
        accepted: name of the remedy that was taken, or "".

    Example:
        >>> import netwise as nw
        >>> course = nw.treat(nw.gallery.sick["rate_too_low"].recipe, seeds=(0, 1, 2), jobs=1)
        >>> course.rounds[0].finding.rule
        'rate_too_low'
    """

    recipe: Recipe
    report: Report
    finding: Finding
    verdicts: tuple[TrialResult, ...]
    accepted: str


@dataclass(frozen=True)
class TreatmentResult:
    """A whole treatment.

    Args:
        before: the run as it came.
        run: the run of the cured recipe, its test part scored; `before` where nothing helped.
        rounds: what was found and tried.
        confirmed: the whole cure against the first recipe on fresh seeds, or None where nothing was
            accepted.

    Example:
        >>> import netwise as nw
        >>> course = nw.treat(nw.suggest(nw.data.digits(), epochs=10), jobs=1)
        >>> course.rounds, course.cured
        ((), True)
    """

    before: Run
    run: Run
    rounds: tuple[TreatmentRound, ...]
    confirmed: TrialResult | None

    @property
    def recipe(self) -> Recipe:
        """The recipe that the treatment ends with."""
        return self.run.recipe

    @property
    def cured(self) -> bool:
        """Nothing is found any more; and what was accepted held on fresh seeds."""
        return not diagnose(self.run).found and (self.confirmed is None or self.confirmed.helps)

    @property
    def sentence(self) -> str:
        """How the treatment ended."""
        if not self.rounds:
            return "Nothing found: no treatment needed."
        accepted = [each.accepted for each in self.rounds if each.accepted]
        if not accepted:
            return f"No remedy was proved to help against {self.rounds[0].finding.rule.replace('_', ' ')}."
        confirmed = (
            f" Confirmed on {len(self.confirmed.seeds)} fresh seeds: {self.confirmed.sentence}."
            if self.confirmed
            else ""
        )
        left = diagnose(self.run).names
        rest = (
            f" Still found: {', '.join(name.replace('_', ' ') for name in left)}." if left else ""
        )
        return (
            f"{'Cured' if self.cured else 'Better'} by {', then '.join(accepted)}.{confirmed}{rest}"
        )


def treat(
    recipe: Recipe,
    *,
    seeds: Sequence[int] = SEEDS,
    jobs: int | None = None,
    folder: str | Path | None = None,
    on_message: Callable[[str], None] | None = None,
) -> TreatmentResult:
    """Find what is wrong with a recipe's run, and prove a cure.

    Each remedy that answers the first finding is tried in pairs over `seeds`; the one with the
    largest gain among those that help is accepted (where none moves the goal beyond doubt, the
    largest fall of the validation loss), and what is left is treated next. The result is confirmed
    on fresh seeds. The test part is scored once for each of the first and the final run, after
    everything has been chosen.

    Args:
        recipe: what does not learn.
        seeds: of the paired trials. Default five.
        jobs: runs at a time, as in `fit_many`.
        folder: where to keep the final run; a new or empty one. Default: nowhere.
        on_message: called with each progress message, one line of text. Default: no messages.

    Raises:
        WrongValue: the recipe cannot run.

    Example:
        >>> import netwise as nw
        >>> course = nw.treat(nw.gallery.sick["rate_too_low"].recipe, jobs=1)
        >>> course.cured, course.recipe.optimizer.lr > 1e-3 or course.rounds[0].accepted == "use_adam"
        (True, True)
    """
    report_progress = on_message or (lambda message: None)
    seeds, present, rounds = tuple(seeds), recipe, list[TreatmentRound]()
    report, tried_for = diagnose(fit(recipe, test=False)), set[str]()
    while len(rounds) < MOST_ROUNDS:
        finding = next((each for each in report.found if each.rule not in tried_for), None)
        if finding is None:
            break
        tried_for.add(finding.rule)
        report_progress(f"Found: {finding.rule.replace('_', ' ')}. {finding.sentence}")
        verdicts = _tried(present, finding, seeds, jobs, report_progress)
        best = max(
            (each for each in verdicts if each.helps),
            key=lambda each: (each.low > 0, each.gain if each.low > 0 else each.loss_gain),
            default=None,
        )
        rounds.append(
            TreatmentRound(present, report, finding, tuple(verdicts), best.remedy if best else "")
        )
        if best is None or best.recipe is None:
            continue
        report_progress(f"Accepted: {best.remedy}.")
        present = best.recipe
        report = diagnose(fit(present, test=False))
        tried_for.clear()
    confirmed = None
    if present != recipe:
        report_progress(f"Confirming on fresh seeds {FRESH[0]} to {FRESH[-1]}.")
        arms = fit_many(
            [*(recipe.but(seed=s) for s in FRESH), *(present.but(seed=s) for s in FRESH)], jobs=jobs
        )
        confirmed = compare(
            "the whole cure",
            arms[: len(FRESH)],
            arms[len(FRESH) :],
            present,
            rounds[0].finding.rule,
        )
        report_progress(f"Confirmed: {confirmed.sentence}.")
    before = fit(recipe)
    final = before if present == recipe and folder is None else fit(present, folder=folder)
    return TreatmentResult(before, final, tuple(rounds), confirmed)


def _tried(
    recipe: Recipe,
    finding: Finding,
    seeds: tuple[int, ...],
    jobs: int | None,
    report_progress: Callable[[str], None],
) -> list[TrialResult]:
    """A verdict on every remedy that answers the finding or one of its consequences."""
    names = list(dict.fromkeys(name for each in all_findings([finding]) for name in each.remedies))
    untreated = fit_many([recipe.but(seed=seed) for seed in seeds], jobs=jobs)
    report_progress(f"  untreated: {_mean(untreated)} on {len(seeds)} seeds")
    verdicts: list[TrialResult] = []
    for name in names:
        verdict = trial(
            recipe, remedy(name), finding=finding.rule, seeds=seeds, jobs=jobs, untreated=untreated
        )
        report_progress(f"  {name}: {verdict.sentence}")
        verdicts.append(verdict)
    return verdicts


def _mean(runs: Sequence[Run]) -> str:
    values = [goal(run) for run in runs]
    mean = sum(values) / len(values)
    return (
        f"{mean:.1f} nats on average"
        if runs[0].history.facts.task == DENSITY
        else f"{100 * mean:.1f} % on average"
    )
