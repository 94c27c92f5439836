"""What training did to each layer, as the templates of pages show it."""

from __future__ import annotations

from typing import Any

from netwise.diagnosis.layer_changes import CHANGES_HEAD, CHANGES_MEANING, layer_changes
from netwise.history import History
from netwise.report.pictures.history_plots import layer_pictures


def inside_values(history: History) -> dict[str, Any]:
    """The pictures of all layers over time, and the table of what became of their weights."""
    return {
        "drawn": layer_pictures(history),
        "head": CHANGES_HEAD,
        "rows": [change.cells() for change in layer_changes(history)],
        "meaning": " ".join(CHANGES_MEANING),
    }
