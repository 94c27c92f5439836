"""The HTML page of a lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netwise.atomic import write_atomically
from netwise.labs.lab_definition import Lab, LabResult
from netwise.report.page import render


def write_lab(lab: Lab[Any], result: LabResult, path: Path) -> Path:
    """Write a lab's claim, conclusion, figure, criteria and numbers as one HTML file."""
    text = render(
        "lab.html",
        title=lab.name,
        name=lab.name,
        verdict=result.verdict,
        claim=lab.claim,
        conclusion=result.conclusion,
        setting=lab.text.experiment,
        source=lab.text.source,
        drawn=[result.figure],
        criteria=[
            (
                criterion.statement,
                f"{criterion.value:.4g}",
                "holds" if criterion.holds else "does not hold",
                "yes" if criterion.part_of_claim else "no",
            )
            for criterion in result.criteria
        ],
        numbers=[(name, f"{value:.5g}") for name, value in result.numbers.items()],
        recipes=", ".join(f"{name} {digest}" for name, digest in result.recipes.items()),
    )
    write_atomically(path, text)
    return path
