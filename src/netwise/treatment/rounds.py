"""`treat`: diagnose, try the remedies of the first finding, keep the best one that helps; repeat
until nothing is found or nothing helps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from netwise.diagnosis import RULES, Finding, Report, Rule, diagnose
from netwise.diagnosis.grouping import all_findings
from netwise.printed_text import printable
from netwise.recipe.recipe import Recipe
from netwise.training.fit import fit
from netwise.training.interrupt import uninterrupted
from netwise.training.parallel import fit_many
from netwise.training.ranks.launched import JOBS, require_one_process
from netwise.training.run import Run
from netwise.training.simple_baselines import with_best_baseline
from netwise.treatment.goals import goal, goal_text
from netwise.treatment.remedies import REMEDIES, Remedy, remedy
from netwise.treatment.trials import SEEDS, TrialResult, compare, trial

MOST_ROUNDS = 4  # findings that are treated one after another
CONFIRMATION_SEEDS = tuple(range(100, 105))  # no remedy was chosen on them
WHOLE_TREATMENT = "the whole treatment"  # name of the trial of all accepted remedies together


@dataclass(frozen=True)
class TreatmentRound:
    """One finding, and the trials of its remedies.

    Args:
        recipe: before this round.
        report: its diagnosis.
        finding: the one that was treated.
        trials: the results of all remedies, in the order of the trials.
        accepted: name of the remedy that was applied, or "".

    Example:
        >>> import netwise as nw
        >>> recipe = nw.gallery.sick["rate_too_low"].recipe
        >>> treatment = nw.treat(recipe, seeds=(0, 1, 2), jobs=1)
        >>> treatment.rounds[0].finding.rule
        'rate_too_low'
    """

    recipe: Recipe
    report: Report
    finding: Finding
    trials: tuple[TrialResult, ...]
    accepted: str


@dataclass(frozen=True)
class TreatmentResult:
    """A whole treatment.

    Args:
        before: the run of the recipe as it was given.
        run: the run of the treated recipe, with the score of the test part; `before` where no
            remedy was accepted.
        rounds: findings and trials, in order.
        confirmed: the treated recipe against the given one on seeds that no remedy was chosen on;
            None where no remedy was accepted.
        rules: those of the diagnosis.

    Example:
        >>> import netwise as nw
        >>> treatment = nw.treat(nw.suggest(nw.data.digits(), epochs=10), jobs=1)
        >>> treatment.rounds, treatment.cured
        ((), True)
    """

    before: Run
    run: Run
    rounds: tuple[TreatmentRound, ...]
    confirmed: TrialResult | None
    rules: tuple[Rule, ...] = RULES

    def __str__(self) -> str:
        lines = [self.sentence]
        for each in self.rounds:
            lines.append(f"  {_words(each.finding.rule)}")
            lines += [f"    {trial.remedy}: {trial.sentence}" for trial in each.trials]
        return printable("\n".join(lines))

    @property
    def recipe(self) -> Recipe:
        """The treated recipe."""
        return self.run.recipe

    @property
    def cured(self) -> bool:
        """Whether the final run has no findings, and on fresh seeds the gain was confirmed and the
        finding was there before: one of a single seed needs no cure."""
        if diagnose(self.run, self.rules).found:
            return False
        confirmed = self.confirmed
        return confirmed is None or (
            confirmed.helps and confirmed.sick_after < confirmed.sick_before
        )

    @property
    def sentence(self) -> str:
        """How the treatment ended."""
        if not self.rounds:
            return "No problem found: no treatment is needed."
        accepted = [each.accepted for each in self.rounds if each.accepted]
        if not accepted:
            return f"No remedy was shown to help against {_words(self.rounds[0].finding.rule)}."
        text = f"{'Cured' if self.cured else 'Better'} by {', then '.join(accepted)}."
        if self.confirmed:
            seeds = len(self.confirmed.seeds)
            text += f" Confirmed on {seeds} fresh seeds: {self.confirmed.sentence}."
        left = diagnose(self.run, self.rules).names
        if left:
            text += f" Still found: {', '.join(_words(name) for name in left)}."
        return text


def treat(
    recipe: Recipe,
    *,
    seeds: Sequence[int] = SEEDS,
    jobs: int | None = None,
    folder: str | Path | None = None,
    on_message: Callable[[str], None] | None = None,
    rules: Sequence[Rule] = RULES,
    remedies: Sequence[Remedy] = REMEDIES,
    with_baselines: bool = False,
) -> TreatmentResult:
    """Find what is wrong with a recipe's run, and a change of the recipe that is shown to cure it.

    Each remedy of the first finding and of its consequences is tried in pairs over `seeds`. Of
    those that help, the one with the largest gain is accepted; where none changes the goal beyond
    its interval, the one with the largest fall of the validation loss. Then the next finding is
    treated. The result is confirmed on seeds that no remedy was chosen on. The test part is scored
    once for the first and once for the final run, after all choices.

    Args:
        recipe: what does not learn.
        seeds: of the paired trials. Default five.
        jobs: runs at a time, as in `fit_many`.
        folder: where to keep the final run; a new or empty one. Default: nowhere.
        on_message: called with each progress message, one line of text. Default: no messages.
        rules: what to look for. Default: all of netwise; add your own by `(*nw.RULES, mine)`.
        remedies: what the rules' cards may name. Default: all of netwise; add your own by
            `(*nw.REMEDIES, mine)`.
        with_baselines: also train simple models of scikit-learn on the same split, and where one
            of them is better, try to close the gap. Default false.

    Raises:
        WrongValue: the recipe cannot run.
        UnknownName: a rule names a remedy that is not in `remedies`.

    Example:
        >>> import netwise as nw
        >>> treatment = nw.treat(nw.gallery.sick["rate_too_low"].recipe, jobs=1)
        >>> treatment.cured, treatment.rounds[0].accepted in ("search_rate", "use_adam")
        (True, True)
    """
    require_one_process("treat", JOBS)
    send = on_message or (lambda message: None)
    seeds, rules = tuple(seeds), tuple(rules)
    present, rounds = recipe, list[TreatmentRound]()

    def diagnosis(of: Recipe) -> Report:
        run = uninterrupted(fit(of, test=False))
        return diagnose(with_best_baseline(run) if with_baselines else run, rules)

    report, treated_rules = diagnosis(recipe), set[str]()
    while len(rounds) < MOST_ROUNDS:
        finding = next((each for each in report.found if each.rule not in treated_rules), None)
        if finding is None:
            break
        treated_rules.add(finding.rule)
        send(f"Found: {_words(finding.rule)}. {finding.sentence}")
        candidates = _remedies_of(finding, remedies)
        results = _run_trials(present, finding, candidates, seeds, jobs, rules, send)
        best = _best(results)
        accepted = best.remedy if best else ""
        rounds.append(TreatmentRound(present, report, finding, tuple(results), accepted))
        if best is None or best.recipe is None:
            continue
        send(f"Accepted: {best.remedy}.")
        present = best.recipe
        report = diagnosis(present)
        treated_rules.clear()
    confirmed = None
    if present != recipe:
        confirmed = _confirmed(recipe, present, rounds[0].finding.rule, jobs, rules, send)
    before = uninterrupted(fit(recipe))
    if present == recipe and folder is None:
        return TreatmentResult(before, before, tuple(rounds), confirmed, rules)
    final = uninterrupted(fit(present, folder=folder))
    return TreatmentResult(before, final, tuple(rounds), confirmed, rules)


def _remedies_of(finding: Finding, remedies: Sequence[Remedy]) -> list[Remedy]:
    """The remedies of a finding and of its consequences, in the order to try them."""
    names = (name for each in all_findings([finding]) for name in each.remedies)
    return [remedy(name, remedies) for name in dict.fromkeys(names)]


def _run_trials(
    recipe: Recipe,
    finding: Finding,
    candidates: Sequence[Remedy],
    seeds: tuple[int, ...],
    jobs: int | None,
    rules: tuple[Rule, ...],
    send: Callable[[str], None],
) -> list[TrialResult]:
    """One trial of each candidate, against the same untreated runs."""
    untreated = fit_many([recipe.but(seed=seed) for seed in seeds], jobs=jobs)
    send(f"  untreated: {_mean_goal(untreated)} on {len(seeds)} seeds")
    results: list[TrialResult] = []
    for candidate in candidates:
        result = trial(
            recipe,
            candidate,
            finding=finding.rule,
            seeds=seeds,
            jobs=jobs,
            untreated=untreated,
            rules=rules,
        )
        send(f"  {candidate.name}: {result.sentence}")
        results.append(result)
    return results


def _best(results: Sequence[TrialResult]) -> TrialResult | None:
    """Of the remedies that help: the largest gain, or the largest fall of the validation loss where
    no gain is beyond its interval."""
    return max(
        (each for each in results if each.helps),
        key=lambda each: (each.low > 0, each.gain if each.low > 0 else each.loss_gain),
        default=None,
    )


def _confirmed(
    recipe: Recipe,
    treated: Recipe,
    finding: str,
    jobs: int | None,
    rules: tuple[Rule, ...],
    send: Callable[[str], None],
) -> TrialResult:
    """The treated recipe against the given one, on the confirmation seeds."""
    seeds = CONFIRMATION_SEEDS
    send(f"Confirming on fresh seeds {seeds[0]} to {seeds[-1]}.")
    pairs = [each.but(seed=seed) for each in (recipe, treated) for seed in seeds]
    runs = fit_many(pairs, jobs=jobs)
    before, after = runs[: len(seeds)], runs[len(seeds) :]
    result = compare(WHOLE_TREATMENT, before, after, treated, finding, rules)
    send(f"Confirmed: {result.sentence}.")
    return result


def _mean_goal(runs: Sequence[Run]) -> str:
    values = [goal(run) for run in runs]
    return f"{goal_text(runs[0].history, sum(values) / len(values))} on average"


def _words(name: str) -> str:
    """The name of a rule as words."""
    return name.replace("_", " ")
