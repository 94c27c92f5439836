"""Recorded results of labs, each with its date, versions, seeds and hashes of recipes."""

from __future__ import annotations

import json
import os
import platform
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from netwise.atomic import make_folder, write_atomically
from netwise.schema import read_json

if TYPE_CHECKING:
    from netwise.labs.lab_definition import Lab, LabResult

RESULTS = Path(__file__).parent / "results"


class Recorded(TypedDict):
    """What lists and pages read of a recorded result."""

    lab: str
    claim: str
    date: str
    verdict: str
    versions: dict[str, str]


def provenance() -> dict[str, Any]:
    """Today's date, the versions that compute and the number of cores, as they are written beside
    recorded numbers."""
    import torch  # heavy

    from netwise import __version__

    return {
        "date": date.today().isoformat(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "netwise": __version__,
        },
        "cores": os.cpu_count() or 1,
    }


def record(lab: Lab[Any], result: LabResult, folder: Path = RESULTS) -> Path:
    """Write `folder/NAME.json`, a lab's claim, numbers and criteria with their provenance, and
    `folder/NAME.svg`, its figure."""
    make_folder(folder)
    path = folder / f"{lab.name}.json"
    content = {"lab": lab.name, "claim": lab.claim, **provenance(), **result.plain()}
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    write_atomically(path.with_suffix(".svg"), result.figure)
    return path


def recorded(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """The recorded result of a lab as plain values, or None where there is none."""
    path = folder / f"{name}.json"
    otherwise = f"run the lab again: netwise lab {name} --record"
    return dict(read_json(path, Recorded, otherwise)) if path.is_file() else None


def recorded_result(lab: Lab[Any], folder: Path = RESULTS) -> LabResult | None:
    """The recorded result of a lab as it was before it was written, or None where there is none.

    Example:
        >>> import netwise as nw
        >>> from netwise.labs.record import recorded_result
        >>> recorded_result(nw.lab("L01")).verdict
        'confirmed'
    """
    from netwise.labs.lab_definition import Criterion, LabResult  # heavy: torch

    content = recorded(lab.name, folder)
    if content is None:
        return None
    settings = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in content["settings"].items()
    }
    return LabResult(
        content["numbers"],
        tuple(
            Criterion(row["says"], row["seen"], row["holds"], row["of_the_note"])
            for row in content["criteria"]
        ),
        (folder / f"{lab.name}.svg").read_text("utf-8"),
        content["recipes"],
        tuple(content["seeds"]),
        settings,
        content.get("seconds", 0.0),
    )


def recorded_with(name: str, folder: Path = RESULTS) -> str:
    """When and with which versions a lab's result was recorded, as a sentence; "" for none."""
    content = recorded(name, folder)
    if content is None:
        return ""
    versions = ", ".join(f"{part} {version}" for part, version in content["versions"].items())
    return f"Recorded on {content['date']} with {versions}."
