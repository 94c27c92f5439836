"""The summary of data as the values of a page."""

from __future__ import annotations

from typing import Any

from netwise.data import Data
from netwise.data.summary.summary_text import HEAD, column_rows, heading, sentences
from netwise.errors import NetwiseError

MOST_COLUMNS = 200


def summary_values(data: Data) -> dict[str, Any] | None:
    """What the section on the data shows; None where they cannot be read any more."""
    try:
        summary = data.summary()
    except NetwiseError:
        return None
    more = len(summary.columns) - MOST_COLUMNS
    return {
        "heading": heading(summary),
        "notes": summary.notes,
        "head": HEAD,
        "columns": column_rows(summary)[:MOST_COLUMNS],
        "more": f"and {more:,} more columns" if more > 0 else "",
        "sentences": [_pieces(sentence) for sentence in sentences(summary) if sentence],
        "advice": [_pieces(sentence) for sentence in summary.advice],
    }


def _pieces(sentence: str) -> list[tuple[str, bool]]:
    """The sentence in pieces: (text, whether it is between backticks)."""
    return [(text, place % 2 == 1) for place, text in enumerate(sentence.split("`"))]
