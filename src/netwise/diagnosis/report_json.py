"""The report as plain values, for `--json` and for programs that read it. `report_schema.json` in
this folder is its JSON schema."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from netwise.diagnosis.grouping import all_findings
from netwise.diagnosis.rules import Evidence, Finding
from netwise.diagnosis.short_trial import ShortTrial
from netwise.grades import GRADES

VERSION = 1  # rises when a field is renamed, removed or changes its meaning; new fields keep it


def report_as_dict(
    found: Sequence[Finding],
    clear: Sequence[str],
    unchecked: Sequence[tuple[str, str]],
    trials: Sequence[ShortTrial],
) -> dict[str, Any]:
    """A report as values that `json` writes: no infinite numbers, no tuples.

    Args:
        found, clear, unchecked, trials: as in `Report`.
    """
    grades = [GRADES.index(each.grade) for each in all_findings(found)]
    return {
        "version": VERSION,
        "grade": GRADES[max(grades)] if grades else None,
        "found": [_finding(each) for each in found],
        "clear": list(clear),
        "unchecked": [{"rule": name, "reason": reason} for name, reason in unchecked],
        "trials": [_trial(each) for each in trials],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "title": finding.title,
        "grade": finding.grade,
        "sentence": finding.sentence,
        "layers": list(finding.layers),
        "steps": list(finding.steps),
        "strength": _number(finding.strength),
        "evidence": [_evidence(each) for each in finding.evidence],
        "explanation": finding.explanation,
        "healthy": finding.healthy,
        "source": finding.source,
        "change": finding.change.splitlines(),
        "remedies": list(finding.remedies),
        "explained": finding.explained,
        "undecided": finding.undecided,
        "consequences": [_finding(each) for each in finding.consequences],
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "what": evidence.what,
        "value": _number(evidence.value),
        "limit": _number(evidence.limit),
        "found": "above" if evidence.above else "below",
        "percent": evidence.percent,
    }


def _trial(trial: ShortTrial) -> dict[str, Any]:
    return {
        "name": trial.name,
        "changed": trial.changed,
        "verdict": trial.verdict,
        "sentence": trial.sentence,
        "rule": trial.finding,
        "numbers": {name: _number(value) for name, value in trial.numbers.items()},
        "seconds": _number(trial.seconds),
        "steps": trial.steps,
    }


def _number(value: float) -> float | str:
    """A number, or its name where JSON has none; `float` reads "inf", "-inf" and "nan" back."""
    return value if math.isfinite(value) else str(value)
