"""Results of labs, kept with what made them."""

from __future__ import annotations

import json
import platform
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netwise.atomic import write_atomically

if TYPE_CHECKING:
    from netwise.labs.definition import Lab, LabResult

RESULTS = Path(__file__).parent / "results"


def record(lab: Lab, outcome: LabResult, folder: Path = RESULTS) -> Path:
    """Write a lab's numbers with date, versions, seeds and hashes of the recipes."""
    import torch  # heavy

    from netwise import __version__

    folder.mkdir(parents=True, exist_ok=True)
    made = {
        "date": date.today().isoformat(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "netwise": __version__,
        },
    }
    path = folder / f"{lab.name}.json"
    write_atomically(
        path,
        json.dumps({"lab": lab.name, "claim": lab.claim, **made, **outcome.plain()}, indent=1)
        + "\n",
    )
    return path


def recorded(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """The kept result of a lab, or None."""
    path = folder / f"{name}.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else None
