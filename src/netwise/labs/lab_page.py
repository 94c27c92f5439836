"""The HTML page of a lab."""

from __future__ import annotations

from pathlib import Path

from netwise.atomic import write_atomically
from netwise.labs.definition import Lab, LabResult
from netwise.report.page import figures, page, table, tag


def write_lab(lab: Lab, result: LabResult, path: Path) -> Path:
    """Write a lab's claim, conclusion, figure, criteria and numbers as one HTML file."""
    criteria = [
        (
            criterion.statement,
            f"{criterion.value:.4g}",
            "holds" if criterion.holds else "does not hold",
            "yes" if criterion.part_of_claim else "no",
        )
        for criterion in result.criteria
    ]
    numbers = [(name, f"{value:.5g}") for name, value in result.numbers.items()]
    notes = []
    if result.recipes:
        hashes = ", ".join(f"{name} {digest}" for name, digest in result.recipes.items())
        notes.append(tag("p", f"Hashes of the recipes: {hashes}.", kind="soft"))
    notes.append(tag("p", f"Run it again: netwise lab {lab.name}", kind="soft"))
    text = page(
        f"{lab.name}: netwise",
        tag("h1", f"{lab.name}: {result.verdict}"),
        tag("p", f"Claim: {lab.claim}"),
        tag("p", result.conclusion),
        tag("p", f"Experiment: {lab.setting} Source: {lab.source}.", kind="soft"),
        figures([result.figure]),
        tag("h2", "Criteria"),
        table(("statement", "measured", "result", "part of the claim"), criteria, numbers=(1,)),
        tag("h2", "Numbers"),
        table(("number", "value"), numbers, numbers=(1,)),
        *notes,
    )
    write_atomically(path, text)
    return path
