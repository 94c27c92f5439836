"""The HTML page of a lab: it teaches the claim, shows the figure first, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netwise.atomic import write_atomically
from netwise.labs.errata.erratum import errata
from netwise.labs.lab_definition import Lab, LabResult
from netwise.report.page import render


@dataclass(frozen=True)
class Stop:
    """The result of a lab at one value of a setting."""

    value: str
    figure: str
    conclusion: str
    is_default: bool


@dataclass(frozen=True)
class Stops:
    """The results of a lab at several values of a setting, one of which the page shows."""

    setting: str
    shown: tuple[Stop, ...]


def write_lab(lab: Lab[Any], result: LabResult, path: Path, recorded: str = "") -> Path:
    """Write what a lab found, with its claim, figure, criteria and numbers, as one HTML file.

    Where the lab has `stops`, it is run at the other values too, unless its settings were changed
    or the result is a recorded one: `recorded` says when and with what it was recorded.
    """
    text, changed = lab.text, changed_settings(lab, result)
    page = render(
        "lab.html",
        title=lab.name,
        name=lab.name,
        text=text,
        verdict=result.verdict,
        conclusion=result.conclusion,
        changed=changed,
        erratum=errata().get(text.erratum),
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
        stops=None if changed or recorded else _stops(lab, result),
        variations=[{"text": each.text, "command": each.command(lab.name)} for each in text.change],
        settings=_listed(result.settings),
        seconds=_time(result.seconds),
        recorded=recorded,
    )
    write_atomically(path, page)
    return path


def _stops(lab: Lab[Any], result: LabResult) -> Stops | None:
    if lab.stops is None:
        return None
    setting, values = lab.stops
    default = getattr(lab.settings, setting)
    return Stops(
        setting,
        tuple(
            Stop(f"{value}", outcome.figure, outcome.conclusion, value == default)
            for value in values
            for outcome in [result if value == default else lab.run(**{setting: value})]
        ),
    )


def changed_settings(lab: Lab[Any], result: LabResult) -> str:
    """The settings that are not those of the recorded result, for which the criteria were
    written."""
    own = lab.settings.written_fields()
    return _listed({name: value for name, value in result.settings.items() if own[name] != value})


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in settings.items())


def _time(seconds: float) -> str:
    if not seconds:
        return ""
    return f"{seconds:.2g} s" if seconds < 100 else f"{seconds / 60:.2g} minutes"
