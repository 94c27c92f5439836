"""`diagnose`: all rules over one history; causes first, their consequences under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from netwise.diagnosis.rules import RULES, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.short_trial import NOT_POSSIBLE, ShortTrial
from netwise.history import History, TrialSource


@dataclass(frozen=True)
class Report:
    """What a diagnosis found, in three lists. Printed, it is a text for people.

    Args:
        found: findings that no other one explains, each with its consequences; the likeliest cause
            first.
        clear: names of the rules that were checked and found nothing.
        unchecked: (name of the rule, why it could not be checked). Rules about runs of other tasks
            are in no list, nor are rules about loops of the user's own for runs of `fit`.
        trials: what short trials showed, of `diagnose(..., trials=True)`.

    Example:
        >>> import netwise as nw
        >>> report = nw.diagnose(nw.History.from_rows([]))
        >>> report.found, report.clear, report.unchecked[0][0]
        ((), (), 'weights_stand_still')
    """

    found: tuple[Finding, ...]
    clear: tuple[str, ...]
    unchecked: tuple[tuple[str, str], ...]
    trials: tuple[ShortTrial, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all findings, consequences too."""
        return tuple(finding.rule for finding in all_findings(self.found))

    def __str__(self) -> str:
        lines = [line for finding in self.found for line in _lines(finding)]
        if not self.found:
            lines.append("Nothing found.")
        if self.clear:
            lines.append(f"No sign of: {', '.join(rule_title(name) for name in self.clear)}.")
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.unchecked:
            by_reason.setdefault(reason, []).append(rule_title(name))
        lines += [
            f"Not checked: {', '.join(titles)}, because {reason}."
            for reason, titles in by_reason.items()
        ]
        lines += [str(outcome) for outcome in self.trials]
        return "\n".join(lines)


class HasHistory(Protocol):
    """A `Run`, or any object with the history of a training in its attribute `history`."""

    @property
    def history(self) -> History: ...


class Watched(Protocol):
    """A `watch`, or any object that makes the history of a training."""

    def history(self) -> History: ...


def diagnose(
    of: HasHistory | Watched | History,
    rules: Sequence[Rule] = RULES,
    *,
    trials: bool = False,
    limit: float = 0.25,
) -> Report:
    """Check a run of `fit`, or a training loop of your own, with all rules about its task.

    Args:
        of: a history, such as `watch` records, or an object that has one: a `Run` or a `watch`.
        rules: which rules. Default: all of netwise; add your own by `(*nw.RULES, mine)`.
        trials: decide what the signals leave open by short trials on copies of the program, which
            must be in memory: pass the `watch`, its `history()`, or a `Run`.
        limit: of the cost of the trials, as a share of the training time.

    Example:
        >>> import netwise as nw
        >>> print(nw.diagnose(nw.fit(nw.suggest(nw.data.digits(), epochs=10))).found)
        ()
    """
    history = _history_of(of)
    found: list[Finding] = []
    clear: list[str] = []
    unchecked: list[tuple[str, str]] = []
    for rule in rules:
        if not rule.is_about(history):
            continue
        answer = rule.find(history)
        if answer is None:
            clear.append(rule.name)
        elif isinstance(answer, Unchecked):
            unchecked.append((rule.name, answer.reason))
        else:
            found.append(_with_card(answer, rule))
    report = Report(tuple(group_by_cause(found, rules)), tuple(clear), tuple(unchecked))
    return _tried(of, history, report, limit) if trials else report


def _history_of(of: HasHistory | Watched | History) -> History:
    if isinstance(of, History):
        return of
    history = of.history
    return history() if callable(history) else history


def _tried(of: object, history: History, report: Report, limit: float) -> Report:
    """The report after short trials, or with the reason why none can be run."""
    source: TrialSource | None = history.trials or getattr(of, "trial_source", None)
    if source is None:
        reason = (
            "The program is not in memory. Pass the `watch`, its history() or a `Run` to diagnose."
        )
        outcome = ShortTrial("every", "", NOT_POSSIBLE, reason)
        return replace(report, trials=(outcome,))
    tried: Report = source.try_out(history, report, limit)
    return tried


def _with_card(finding: Finding, rule: Rule) -> Finding:
    return replace(
        finding,
        explanation=rule.explanation,
        healthy=rule.healthy,
        source=rule.source,
        remedies=finding.remedies or rule.remedies,
        title=rule.title,
        change=finding.change or rule.change,
        grade="cause" if rule.exact else finding.grade,
    )


def group_by_cause(found: Sequence[Finding], rules: Sequence[Rule] = RULES) -> list[Finding]:
    """Put each finding among the consequences of the first one that explains it.

    One finding explains another where its rule's card names the other and it began no later. Of two
    that explain each other the one that began earlier is the cause; at equal steps, the one whose
    rule is checked first.
    """
    explains = {rule.name: rule.explains for rule in rules}
    parent: dict[int, int] = {}  # place of a consequence -> place of its cause
    for i, effect in enumerate(found):
        for j, cause in enumerate(found):
            if i == j or effect.rule not in explains.get(cause.rule, ()):
                continue
            mutual = cause.rule in explains.get(effect.rule, ())
            earlier = cause.steps[0] < effect.steps[0] or (
                cause.steps[0] == effect.steps[0] and (j < i or not mutual)
            )
            if earlier and not _is_ancestor(parent, i, j):
                parent[i] = j
                break
    children: dict[int, list[int]] = {}
    for child, cause_of in parent.items():
        children.setdefault(cause_of, []).append(child)

    def with_consequences(i: int) -> Finding:
        below = tuple(with_consequences(child) for child in sorted(children.get(i, [])))
        return replace(found[i], consequences=below, grade="cause" if below else found[i].grade)

    return [with_consequences(i) for i in range(len(found)) if i not in parent]


def _is_ancestor(parent: dict[int, int], ancestor: int, i: int) -> bool:
    """Whether `ancestor` is a cause of `i`, directly or through others."""
    while i in parent:
        i = parent[i]
        if i == ancestor:
            return True
    return False


def all_findings(found: Sequence[Finding]) -> list[Finding]:
    """All findings, each followed by its consequences."""
    return [each for finding in found for each in (finding, *all_findings(finding.consequences))]


def rule_title(name: str) -> str:
    """A rule's title as part of a sentence; its name in words where it is not one of netwise's."""
    title = next((rule.title for rule in RULES if rule.name == name), name.replace("_", " "))
    return title[0].lower() + title[1:]


def _lines(finding: Finding, indent: str = "") -> list[str]:
    """A finding and its consequences as lines of text."""
    title = finding.title or rule_title(finding.rule)
    prefix = f"consequence: {title[0].lower()}" if indent else title[0].upper()
    lines = [f"{indent}{prefix}{title[1:]}. {finding.sentence}"]
    lines += [
        f"{indent}    {evidence}" for evidence in finding.evidence if evidence.limit != float("inf")
    ]
    for consequence in finding.consequences:
        lines += _lines(consequence, indent + "    ")
    if not indent and finding.remedies:
        lines.append(f"    remedies to try: {', '.join(finding.remedies)}")
    return lines


def plain_report(report: Report) -> dict[str, Any]:
    """The report as plain values, for `--json`."""
    unchecked = [{"rule": name, "reason": reason} for name, reason in report.unchecked]
    return {
        "found": [_plain_finding(each) for each in report.found],
        "clear": list(report.clear),
        "unchecked": unchecked,
    }


def _plain_finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "grade": finding.grade,
        "sentence": finding.sentence,
        "layers": list(finding.layers),
        "steps": list(finding.steps),
        "strength": finding.strength,
        "evidence": [_plain_evidence(each) for each in finding.evidence],
        "explanation": finding.explanation,
        "healthy": finding.healthy,
        "source": finding.source,
        "remedies": list(finding.remedies),
        "consequences": [_plain_finding(each) for each in finding.consequences],
    }


def _plain_evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "what": evidence.what,
        "value": evidence.value,
        "limit": evidence.limit,
        "found": "above" if evidence.above else "below",
    }
