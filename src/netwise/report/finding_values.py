"""A diagnosis as the templates of pages show it."""

from __future__ import annotations

import math
from typing import Any

from netwise.diagnosis.report import Report
from netwise.diagnosis.report_text import (
    NO_CAUSE,
    NO_PROBLEM,
    TRIALS_OF_A_LOOP,
    TRIALS_OF_A_RUN,
    relation,
    rule_title,
)
from netwise.diagnosis.rules import Finding
from netwise.diagnosis.rules.observation import as_written
from netwise.errors import UnknownName
from netwise.history import History
from netwise.report.pictures.finding_plots import evidence_bar, finding_pictures
from netwise.treatment.remedies import remedy

# How sure a finding is, in words.
GRADE_MEANINGS = {
    "suspect": "a sign of it; other explanations are possible",
    "cause": "the facts leave this explanation",
    "proved": "a short trial showed it",
}


def report_values(report: Report, history: History | None = None, name: str = "") -> dict[str, Any]:
    """A diagnosis as the template shows it.

    Args:
        report: of the history.
        history: whose signals are drawn. Default: findings without pictures of signals.
        name: tells this history from others on the same page, such as "before".
    """
    return {
        "found": [_finding_values(each, report, history, name) for each in report.found],
        "nothing": NO_PROBLEM,
        "no_sign_of": ", ".join(rule_title(name) for name in report.clear),
        "unchecked": [(rule_title(name), reason) for name, reason in report.unchecked],
        "trials": [
            (trial.name, trial.verdict, trial.sentence, f"{trial.steps:,}", f"{trial.seconds:.1f}")
            for trial in report.trials
        ],
    }


def _finding_values(
    finding: Finding, report: Report, history: History | None, name: str
) -> dict[str, Any]:
    title = finding.title or rule_title(finding.rule)
    place = ""
    if finding.layers:
        first, last = finding.steps[0] + 1, finding.steps[1] + 1
        place = f"Layers: {', '.join(map(as_written, finding.layers))}. Steps {first} to {last}."
    code = "" if report.of_recipe else finding.change
    trials = ""
    if finding.undecided:
        code, trials = "", "" if report.trials else NO_CAUSE
        if trials:
            code = TRIALS_OF_A_RUN if report.of_recipe else TRIALS_OF_A_LOOP
    return {
        "id": "-".join(filter(None, ("finding", name, finding.rule))),
        "title": title[0].upper() + title[1:],
        "relation": relation(finding).capitalize(),
        "grade": finding.grade,
        "grade_meaning": GRADE_MEANINGS.get(finding.grade, ""),
        "sentence": finding.sentence,
        "evidence": [
            (evidence.what, evidence.value_text, evidence.limit_text, evidence_bar(evidence))
            for evidence in finding.evidence
            if math.isfinite(evidence.limit)
        ],
        "place": place,
        "explanation": finding.explanation,
        "healthy": finding.healthy,
        "trials": trials,
        "change": code,
        "remedies": _remedies(finding, report, code),
        "source": finding.source.removesuffix("."),
        "pictures": [] if history is None else finding_pictures(history, finding, name),
        "consequences": [
            _finding_values(each, report, None, name) for each in finding.consequences
        ],
    }


def _remedies(finding: Finding, report: Report, code: str) -> list[dict[str, str]]:
    """Remedies of a recipe; of a loop, those whose instruction stands in for lines of code."""
    if finding.undecided or (code and not report.of_recipe):
        return []
    return [remedy_values(name) for name in finding.remedies]


def remedy_values(name: str) -> dict[str, str]:
    """A remedy's name, title and instruction; the latter two empty for one of the user's own."""
    try:
        known = remedy(name)
    except UnknownName:
        return {"name": name, "title": "", "by_hand": ""}
    return {"name": name, "title": known.title, "by_hand": known.by_hand}
