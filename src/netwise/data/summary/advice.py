"""What to look at before training, as sentences that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from netwise.data.summary.summary_text import percent
from netwise.data.summary.time_order import TimeOrder
from netwise.data.summary.values import ColumnSummary, Repeats, SuspectedLeak, TargetSummary
from netwise.data.tables.kinds import DATE, NUMBER

MANY_REPEATS, FEWEST_REPEATS = 0.01, 3  # share and number of the rows of a part
LARGE_GAPS = 0.5
IMBALANCE = 5  # times the smallest class
FEW = 10  # rows of a class
MOST_MARKS = 3
FEWEST_GROUPS, ROWS_OF_GROUP = 10, 2.0
_ID = re.compile(
    r"\b(id|ids|uuid|guid|patient|subject|user|customer|client|session|device|household|family|"
    r"person|player|author|speaker|group|site|store|shop)\b"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+|-+")


def leak_advice(leaks: Sequence[SuspectedLeak], has_classes: bool) -> list[str]:
    """One sentence for each suspected leak."""
    measure = (
        "{:.2f}, on a scale from 0 for guessing to 1 for perfect" if has_classes else "R² {:.2f}"
    )
    return [
        f"`{leak.column}` predicts the target nearly alone "
        + ("by whether it has a value " if leak.by_gaps else "")
        + f"({measure.format(leak.score)}). Is it known before the target is? If not, the score "
        f"will be too good: leave it out by --kind {_word(leak.column + '=identifier')}."
        for leak in leaks
    ]


def repeat_advice(
    repeats: Repeats, parts: Mapping[str, int], split_by: str, together: str
) -> list[str]:
    """Rows of the test part that are training rows, too.

    Args:
        repeats: how many.
        parts: samples of each part.
        split_by: "group" or "time" where the data are split by that.
        together: how to keep equal rows in one part, as the end of a sentence.
    """
    for name, number in (("test", repeats.test), ("validation", repeats.valid)):
        rows = parts.get("valid" if name == "validation" else name, 0)
        if number >= max(FEWEST_REPEATS, MANY_REPEATS * rows) and split_by != "group":
            return [
                (
                    f"{number:,} of {rows:,} rows of the {name} part ({percent(number / rows)}) "
                    "are also in an earlier part, with all inputs and the target. A network that "
                    f"has learned them by heart is right there: remove the copies, or {together}."
                )
            ]
    return []


def part_advice(
    classes: Sequence[str], counts: Mapping[str, np.ndarray], split_by: str
) -> list[str]:
    """A class of which a part has no row.

    Args:
        classes: their names.
        counts: for each part its rows of each class.
        split_by: "group" or "time" where the data are split by that.
    """
    if not split_by:
        return []  # drawn by class: only rare ones can be absent
    names = {"train": "training", "valid": "validation", "test": "test"}
    for part, rows in counts.items():
        absent = [name for name, count in zip(classes, rows, strict=True) if not count]
        if absent and rows.sum() >= FEW:
            listed = ", ".join(f"`{name}`" for name in absent[:5])
            found = f"The {names[part]} part has no row of {listed}"
            return [f"{found}: split by another column, or leave these classes out."]
    return []


def time_advice(
    order: TimeOrder | None, columns: Sequence[ColumnSummary], split_by: str
) -> list[str]:
    """A split by time, where a column orders the rows, or has dates."""
    if split_by:
        return []
    if order is not None:
        return [
            (
                f"The rows are in the order of `{order.column}`, from {order.first} to "
                f"{order.last}. If new rows will be later than these, a random split promises too "
                "much: train on earlier and test on later rows by "
                f"--time {_word(order.column)}."
            )
        ]
    dates = [column.name for column in columns if column.kind == DATE and column.role == "input"]
    if not dates:
        return []
    return [
        (
            f"`{dates[0]}` has dates. If new rows will be later than these, split by time: "
            f"--time {_word(dates[0])}."
        )
    ]


def group_advice(columns: Sequence[ColumnSummary], rows: int, split_by: str) -> list[str]:
    """A split by group, where a column names something that has several rows."""
    if split_by == "group":
        return []
    for column in columns:
        name = _CAMEL.sub(" ", column.name).lower()
        if (
            _ID.search(name)
            and column.role == "input"
            and column.kind not in (DATE, NUMBER)
            and column.distinct >= FEWEST_GROUPS
            and rows - column.gaps >= ROWS_OF_GROUP * column.distinct
        ):
            each = (rows - column.gaps) / column.distinct
            return [
                (
                    f"`{column.name}` has {column.distinct:,} values with {each:.1f} rows each. If "
                    "new rows will be of others, keep each in one part: "
                    f"--group {_word(column.name)}."
                )
            ]
    return []


def target_advice(target: TargetSummary | None, rows: int) -> list[str]:
    """Classes that are rare, too many, or written in two ways."""
    if target is None or not target.counts:
        return []
    counts, found = target.counts, []
    if len(counts) > 20 and len(counts) > rows / 3:
        found.append(
            f"The target has {len(counts):,} classes in {rows:,} rows, so that most are met once. "
            "If its values are numbers, correct the cells that are none, or name the column's kind."
        )
    else:
        rare = [name for name, count in counts.items() if count < FEW]
        if rare:
            found.append(
                f"{_classes(rare)} fewer than {FEW} "
                "rows: too few to learn or to score. Add rows, join classes, or remove them."
            )
    spellings: dict[str, list[str]] = {}
    for name in counts:
        spellings.setdefault(" ".join(name.split()).casefold(), []).append(name)
    for names in spellings.values():
        if len(names) > 1:
            listed = " and ".join(f"`{name}`" for name in names[:3])
            found.append(
                f"{listed} are different classes: if they mean the same, write them alike."
            )
            break
    majority, share = target.majority
    smallest = min(counts.values())
    if max(counts.values()) > IMBALANCE * smallest and share > 0.5:
        found.append(
            f"{percent(share)} of the rows are `{majority}`: look at balanced accuracy or macro "
            "F1, not at accuracy."
        )
    return found


def mark_advice(marks: Mapping[str, tuple[str, int]]) -> list[str]:
    """Numbers that may stand for missing values.

    Args:
        marks: by column such a number as text, and how many rows have it.
    """
    found = [
        f"`{name}` is {mark} in {rows:,} rows, far from all its other values. If that marks a "
        f"missing value, read it as one: --na {mark}."
        for name, (mark, rows) in list(marks.items())[:MOST_MARKS]
    ]
    more = len(marks) - len(found)
    return [*found, *([f"So do {more:,} more columns."] if more > 0 else [])]


def gap_advice(columns: Sequence[ColumnSummary], rows: int) -> list[str]:
    """Columns of gaps."""
    empty = [c for c in columns if c.role == "input" and c.gaps > LARGE_GAPS * rows]
    if not empty:
        return []
    names = ", ".join(f"`{column.name}`" for column in empty[:5])
    more = f" and {len(empty) - 5} more" if len(empty) > 5 else ""
    verb = "has" if len(empty) == 1 else "have"
    return [
        f"{names}{more} {verb} more gaps than values: check that they were read as they should."
    ]


def _classes(names: Sequence[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names[:5])
    more = f" and {len(names) - 5:,} more classes" if len(names) > 5 else ""
    return f"{listed}{more} {'has' if len(names) == 1 else 'have'}"


def _word(name: str) -> str:
    """A name as a word of the command line."""
    import shlex

    return shlex.quote(name)
