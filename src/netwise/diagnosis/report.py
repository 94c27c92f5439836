"""`diagnose`: all rules over one history, and the report of what they found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from netwise.diagnosis.grouping import all_findings, group_by_cause
from netwise.diagnosis.report_json import report_as_dict
from netwise.diagnosis.report_text import report_lines
from netwise.diagnosis.rules import RULES, Finding, Rule, Unchecked
from netwise.diagnosis.rules.spoken_names import SpokenNames
from netwise.diagnosis.short_trial import NOT_POSSIBLE, ShortTrial
from netwise.history import History, TrialSource
from netwise.printed_text import printable

_OF_NETWISE = {id(rule) for rule in RULES}


@dataclass(frozen=True)
class Report:
    """What a diagnosis found, in three lists. Printed, it is a short text for people; `details` has
    everything, `as_dict` is for programs.

    Args:
        found: findings that no other one explains, each with its consequences; what to change
            first on top.
        clear: names of the rules that were checked and found nothing.
        unchecked: (name of the rule, why it could not be checked). Rules about runs of other tasks
            are in no list, nor are rules about loops of the user's own for runs of `fit`.
        trials: what short trials showed, of `diagnose(..., trials=True)`.
        of_recipe: whether this is a run of `fit`, whose recipe can be changed.

    Example:
        >>> import netwise as nw
        >>> report = nw.diagnose(nw.History.from_rows([]))
        >>> report.found, report.clear, report.unchecked[0][0]
        ((), (), 'step_fails')
    """

    found: tuple[Finding, ...]
    clear: tuple[str, ...]
    unchecked: tuple[tuple[str, str], ...]
    trials: tuple[ShortTrial, ...] = ()
    of_recipe: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all findings, consequences too."""
        return tuple(finding.rule for finding in all_findings(self.found))

    def __str__(self) -> str:
        return printable("\n".join(self._lines(everything=False)))

    @property
    def details(self) -> str:
        """The text for people with all that is known: explanations, each rule that was checked, and
        each reason why one was not."""
        return printable("\n".join(self._lines(everything=True)))

    def _lines(self, *, everything: bool) -> list[str]:
        lines = report_lines(
            self.found,
            self.clear,
            self.unchecked,
            of_recipe=self.of_recipe,
            tried=bool(self.trials),
            everything=everything,
        )
        return [*lines, *(str(outcome) for outcome in self.trials)]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values for JSON. Its schema is `report_schema.json` in
        `netwise/diagnosis`.

        Example:
            >>> import netwise as nw
            >>> plain = nw.diagnose(nw.History.from_rows([])).as_dict()
            >>> plain["version"], plain["grade"], plain["found"]
            (1, None, [])
        """
        return report_as_dict(self.found, self.clear, self.unchecked, self.trials)

    def to_json(self, indent: int | None = 1) -> str:
        """The report as the text of a JSON document.

        Args:
            indent: as in `json.dumps`.
        """
        return json.dumps(self.as_dict(), indent=indent, allow_nan=False)


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

    Raises:
        TypeError: `of` has no history.

    Example:
        >>> import netwise as nw
        >>> print(nw.diagnose(nw.fit(nw.suggest(nw.data.digits(), epochs=10))).found)
        ()
    """
    history = _history_of(of)
    found: list[Finding] = []
    clear: list[str] = []
    unchecked: list[tuple[str, str]] = []
    spoken = SpokenNames.of(history)
    for rule in rules:
        if not rule.is_about(history):
            continue
        own = id(rule) in _OF_NETWISE  # a rule of the user's may ask for a layer by its name
        answer = rule.find(spoken.history if own else history)
        if answer is None:
            clear.append(rule.name)
        elif isinstance(answer, Unchecked):
            unchecked.append((rule.name, answer.reason))
        else:
            found.append(_with_card(spoken.told(answer) if own else answer, rule))
    report = Report(
        tuple(group_by_cause(found, rules)),
        tuple(clear),
        tuple(unchecked),
        of_recipe=bool(history.made_by.recipe),
    )
    return _tried(of, history, report, limit) if trials else report


def _history_of(of: HasHistory | Watched | History) -> History:
    if isinstance(of, History):
        return of
    if not hasattr(of, "history"):
        raise TypeError(
            f"diagnose takes a history, a `Run` or a `watch`, not {type(of).__name__}: write "
            "`nw.diagnose(w)` after `with nw.watch() as w:`"
        )
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
