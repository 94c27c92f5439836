"""The page of a lab."""

from __future__ import annotations

from pathlib import Path

from netwise.atomic import write_atomically
from netwise.labs.definition import Lab, LabResult
from netwise.report.page import figures, page, table, tag


def write_lab(lab: Lab, outcome: LabResult, path: Path) -> Path:
    """The lab's claim, verdict, figure and numbers as one HTML file."""
    rows = [
        (c.says, f"{c.seen:.4g}", "holds" if c.holds else "does not hold") for c in outcome.criteria
    ]
    numbers = [(name, f"{value:.5g}") for name, value in outcome.numbers.items()]
    text = page(
        f"{lab.name}: netwise",
        tag("h1", f"{lab.name}: {outcome.verdict}"),
        tag("p", lab.claim),
        tag("p", f"{lab.setting} Source: {lab.source}.", kind="soft"),
        figures([outcome.figure]),
        tag("h2", "What was asked"),
        table(("statement", "seen", ""), rows, numbers=(1,)),
        tag("h2", "Numbers"),
        table(("number", "value"), numbers, numbers=(1,)),
        tag(
            "p",
            "Recipes: " + ", ".join(f"{name} {mark}" for name, mark in outcome.recipes.items()),
            kind="soft",
        ),
    )
    write_atomically(path, text)
    return path
