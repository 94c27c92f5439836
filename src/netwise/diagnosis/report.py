"""`diagnose`: all rules over one history; causes first, their consequences under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from netwise.diagnosis.rules import RULES, Finding, Rule, Unchecked
from netwise.history import History


@dataclass(frozen=True)
class Report:
    """What a diagnosis says, in three lists.

    Args:
        found: findings that nothing else explains, each with its consequences; the likeliest cause
            first.
        clear: names of the rules that looked and found nothing.
        unchecked: (name of the rule, why it could not look). Rules about runs of other kinds stand
            nowhere.

    Example:
        >>> import netwise as nw
        >>> report = nw.diagnose(nw.History.from_rows([]))
        >>> report.found, report.clear, report.unchecked[0][0]
        ((), (), 'weights_stand_still')
    """

    found: tuple[Finding, ...]
    clear: tuple[str, ...]
    unchecked: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of everything that was found, consequences too."""
        return tuple(finding.rule for finding in all_findings(self.found))

    def __str__(self) -> str:
        lines = []
        for finding in self.found:
            lines += _told(finding, "")
        if not self.found:
            lines.append("Nothing found.")
        if self.clear:
            lines.append(f"Clear: {', '.join(rule_title(name) for name in self.clear)}.")
        for name, reason in self.unchecked:
            lines.append(f"Unchecked: {rule_title(name)}, because {reason}.")
        return "\n".join(lines)


class HasHistory(Protocol):
    """A `Run`, or any object with the history of a training in its attribute `history`."""

    @property
    def history(self) -> History: ...


def diagnose(of: HasHistory | History, rules: Sequence[Rule] = RULES) -> Report:
    """Look at a run, or at what a loop of the user's own was heard to say, with all rules that are
    about such runs.

    Args:
        of: a run of `fit`, or the history of a `watch`.
        rules: which rules. Default: all of netwise; add one's own by `(*nw.RULES, mine)`.

    Example:
        >>> import netwise as nw
        >>> print(nw.diagnose(nw.fit(nw.suggest(nw.data.digits(), epochs=10))).found)
        ()
    """
    history = of if isinstance(of, History) else of.history
    found: list[Finding] = []
    clear: list[str] = []
    unchecked: list[tuple[str, str]] = []
    for rule in rules:
        if history.facts.task not in rule.tasks:
            continue
        answer = rule.find(history)
        if answer is None:
            clear.append(rule.name)
        elif isinstance(answer, Unchecked):
            unchecked.append((rule.name, answer.reason))
        else:
            found.append(
                replace(
                    answer,
                    explanation=rule.explanation,
                    healthy=rule.healthy,
                    source=rule.source,
                    remedies=rule.remedies,
                )
            )
    return Report(tuple(group_by_cause(found, rules)), tuple(clear), tuple(unchecked))


def group_by_cause(found: Sequence[Finding], rules: Sequence[Rule] = RULES) -> list[Finding]:
    """Hang each finding under the first that explains it.

    One explains another where its rule says so and it was there no later; of two that explain each
    other the earlier is the cause, and at the same step the one that is looked for first.
    """
    explains = {rule.name: rule.explains for rule in rules}
    parent: dict[int, int] = {}
    for i, effect in enumerate(found):
        for j, cause in enumerate(found):
            if i == j or effect.rule not in explains.get(cause.rule, ()):
                continue
            mutual = cause.rule in explains.get(effect.rule, ())
            earlier = cause.steps[0] < effect.steps[0] or (
                cause.steps[0] == effect.steps[0] and (j < i or not mutual)
            )
            if earlier and not _above(parent, i, j):
                parent[i] = j
                break
    under: dict[int, list[int]] = {}
    for child, cause_of in parent.items():
        under.setdefault(cause_of, []).append(child)

    def grown(i: int) -> Finding:
        children = tuple(grown(child) for child in sorted(under.get(i, [])))
        return replace(
            found[i], consequences=children, grade="cause" if children else found[i].grade
        )

    return [grown(i) for i in range(len(found)) if i not in parent]


def _above(parent: dict[int, int], ancestor: int, i: int) -> bool:
    while i in parent:
        i = parent[i]
        if i == ancestor:
            return True
    return False


def all_findings(found: Sequence[Finding]) -> list[Finding]:
    """All findings, consequences after their causes."""
    return [each for finding in found for each in (finding, *all_findings(finding.consequences))]


def rule_title(rule: str) -> str:
    """A rule's name for people."""
    return next((each.title.lower() for each in RULES if each.name == rule), rule.replace("_", " "))


def _told(finding: Finding, indent: str) -> list[str]:
    name = rule_title(finding.rule)
    because = "so: " if indent else ""
    lines = [f"{indent}{because}{name[0].upper() + name[1:]}. {finding.sentence}"]
    lines += [
        f"{indent}    {evidence}" for evidence in finding.evidence if evidence.limit != float("inf")
    ]
    for consequence in finding.consequences:
        lines += _told(consequence, indent + "    ")
    if not indent and finding.remedies:
        lines.append(f"    try: {', '.join(finding.remedies)}")
    return lines


def plain_report(report: Report) -> dict[str, Any]:
    """The report as plain values, for `--json`."""

    def plain(finding: Finding) -> dict[str, Any]:
        return {
            "rule": finding.rule,
            "grade": finding.grade,
            "sentence": finding.sentence,
            "layers": list(finding.layers),
            "steps": list(finding.steps),
            "strength": finding.strength,
            "evidence": [
                {
                    "what": e.what,
                    "value": e.value,
                    "limit": e.limit,
                    "found": "above" if e.above else "below",
                }
                for e in finding.evidence
            ],
            "explanation": finding.explanation,
            "healthy": finding.healthy,
            "source": finding.source,
            "remedies": list(finding.remedies),
            "consequences": [plain(each) for each in finding.consequences],
        }

    unchecked = [{"rule": name, "reason": reason} for name, reason in report.unchecked]
    return {
        "found": [plain(each) for each in report.found],
        "clear": list(report.clear),
        "unchecked": unchecked,
    }
