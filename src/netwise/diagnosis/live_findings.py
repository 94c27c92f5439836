"""Findings while a run goes on: each reported once when it holds, and once when it has healed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from netwise.diagnosis.grouping import all_findings
from netwise.diagnosis.report import diagnose
from netwise.diagnosis.report_text import inside_sentence, rule_title
from netwise.diagnosis.rules import RULES, Finding, Rule
from netwise.grades import GRADES
from netwise.history import History
from netwise.printed_text import printable

# Checks in a row at which a finding has to hold, or to be gone; one for facts. In a run
# that has just begun, what would harm one that does not learn means little.
IN_A_ROW = 3
FEWEST_STEPS = 50
# Checks are made at steps or epochs that grow by this factor: 36 of them in ten thousand steps.
GROWTH = 1.25


@dataclass(frozen=True)
class FindingEvent:
    """A finding that begins to hold, or has healed.

    Args:
        finding: as it was at the check.
        step: how many steps were done.
        healed: whether it holds no longer.
        model: name of the module; "" where there is only one.
    """

    finding: Finding
    step: int
    healed: bool = False
    model: str = ""

    def __str__(self) -> str:
        finding = self.finding
        title = finding.title or rule_title(finding.rule)
        where = f"step {self.step}" + (f", {self.model}" if self.model else "")
        if self.healed:
            return printable(f"{where}: healed: {inside_sentence(title)}.")
        return printable(
            f"{where}: {title[0].upper()}{title[1:]} ({finding.grade}). {finding.sentence}"
        )


class LiveFindings:
    """Compares the findings of one history at one check with those of the checks before.

    Symptoms, and what only the end of a run can show, are left out: a run that has just begun has
    learned nothing.

    Args:
        rules: which rules.
    """

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        self._rules = tuple(rule for rule in rules if not rule.symptom and not rule.at_end)
        self._at_once = {rule.name for rule in self._rules if rule.exact or rule.at_once}
        self._seen: dict[str, int] = {}  # checks in a row at which a rule found something
        self._gone: dict[str, int] = {}  # checks in a row without a sign of a reported finding
        self._reported: dict[str, Finding] = {}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was reported and has not healed."""
        return tuple(self._reported.values())

    def check(self, history: History, model: str = "") -> list[FindingEvent]:
        """What began to hold or has healed since the last check.

        Args:
            history: as it is now.
            model: as in `FindingEvent`.
        """
        steps = history.ended.step
        report = diagnose(history, self._rules)
        held = {finding.rule for finding in all_findings(report.found)}
        self._seen = {name: self._seen.get(name, 0) + 1 for name in held}
        events = [FindingEvent(f, steps, False, model) for f in self._new(report.found, steps)]
        for event in events:
            self._reported[event.finding.rule] = event.finding
            self._gone.pop(event.finding.rule, None)
        for name in self._healed(report.clear):
            events.append(FindingEvent(self._reported.pop(name), steps, True, model))
        return events

    def _new(self, found: Sequence[Finding], steps: int) -> list[Finding]:
        """Findings on top that hold and are not reported yet, or are more certain now."""
        return [
            finding
            for finding in found
            if finding.rule in self._at_once
            or (steps >= FEWEST_STEPS and self._seen[finding.rule] >= IN_A_ROW)
            if finding.rule not in self._reported
            or is_at_least(finding.grade, self._reported[finding.rule].grade, above=True)
        ]

    def _healed(self, clear: Sequence[str]) -> list[str]:
        """Reported findings of which there is no sign any more. A rule that could not be checked
        says nothing."""
        for name in self._reported:
            self._gone[name] = self._gone.get(name, 0) + 1 if name in clear else 0
        return [
            name
            for name in self._reported
            if self._gone[name] >= (1 if name in self._at_once else IN_A_ROW)
        ]


def least_grade(stop_on: Collection[str]) -> str | None:
    """The least certain grade of those that end a run; None without any.

    Args:
        stop_on: grades, such as `("cause",)`.

    Raises:
        ValueError: it holds another word than a grade.
    """
    if isinstance(stop_on, str) or not set(stop_on) <= set(GRADES):
        raise ValueError(
            f"stop_on = {stop_on!r} must be a tuple of grades: "
            f'{", ".join(map(repr, GRADES))}. Write ("cause",).'
        )
    return min(stop_on, key=GRADES.index) if stop_on else None


def is_at_least(grade: str, than: str, *, above: bool = False) -> bool:
    """Whether a grade is as certain as another one; with `above`, more certain."""
    return GRADES.index(grade) >= GRADES.index(than) + above
