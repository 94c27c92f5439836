"""The summary of a table, from what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netwise.data.summary import advice
from netwise.data.summary.data_summary import DataSummary
from netwise.data.summary.leaks import BY_GAPS, BY_NUMBERS, BY_VALUES, column_scores
from netwise.data.summary.missing_marks import missing_marks
from netwise.data.summary.repeated_rows import counted_repeats, hashes_of_frame
from netwise.data.summary.summary_text import counted, digits_of, number_text, percent
from netwise.data.summary.time_order import as_text, time_order
from netwise.data.summary.values import (
    ColumnSummary,
    Repeats,
    SuspectedLeak,
    TargetSummary,
    numbers_of,
)
from netwise.data.tables import ReadOptions, read_table
from netwise.data.tables.kinds import CONSTANT, EMPTY, IDENTIFIER, ColumnReading

if TYPE_CHECKING:
    import polars as pl

LEFT_OUT = (IDENTIFIER, CONSTANT, EMPTY)
MOST_WORDS, RARE_WORD = 3, 0.01
FEW_VALUES = 20
TOGETHER = "keep equal rows in one part (--set data.together=true)"


@dataclass(frozen=True, eq=False)
class TableParts:
    """How the rows of a table are split.

    Args:
        rows: row numbers of the training, validation and test part.
        split: how they were chosen, as a sentence without its full stop.
        split_by: "group" or "time" where they are split by that, else "".
        column: the name of the column that they are split by, else "".
    """

    rows: Sequence[np.ndarray]
    split: str
    split_by: str = ""
    column: str = ""


@dataclass(frozen=True, eq=False)
class TableTarget:
    """The target of a table.

    Args:
        name: of its column.
        task: "classification" or "regression".
        classes: their names; empty for a regression.
        values: class numbers, or float64 values; of all rows.
    """

    name: str
    task: str
    classes: tuple[str, ...]
    values: np.ndarray


def summary_of_table(
    name: str,
    frame: pl.DataFrame,
    columns: Sequence[ColumnReading],
    notes: Sequence[str],
    target: TableTarget | None,
    parts: TableParts | None,
) -> DataSummary:
    """The summary of a table.

    Args:
        name: of the file.
        frame: all rows, typed, with null for a gap; the column of the target may be absent.
        columns: what each column is.
        notes: how it was read, as sentences.
        target: what is to be predicted; None where that is not chosen.
        parts: how it is split; None where it is not.
    """
    split_by = parts.split_by if parts else ""
    if target:
        frame = _with_target(frame, target)
    shown = tuple(_column(frame, column, target, parts) for column in columns)
    inputs = {c.name: c.kind for c in shown if c.role in ("input", "time")}
    leaks = _leaks(frame, inputs, target) if target else ()
    repeats = _repeats(frame, shown, parts)
    sizes = (
        dict(zip(("train", "valid", "test"), map(len, parts.rows), strict=True)) if parts else {}
    )
    described = _target(target) if target else None
    order = time_order(frame, {c.name: c.kind for c in shown if c.role != "target"})
    most = max((c.distinct for c in shown if c.role in ("input", "time")), default=0)
    # Rows of few values are equal by nature; copies have a column that nearly tells rows apart.
    natural = most <= FEW_VALUES or most < (frame.height - repeats.rows) / 2
    found = [
        *advice.leak_advice(leaks, bool(target and target.classes)),
        *advice.target_advice(described, frame.height),
        *_absent_classes(target, parts),
        *(() if natural else advice.repeat_advice(repeats, sizes, split_by, TOGETHER)),
        *advice.group_advice(shown, frame.height, split_by),
        *advice.time_advice(order, shown, split_by),
        *advice.mark_advice(missing_marks(frame, inputs)),
        *advice.gap_advice(shown, frame.height),
    ]
    return DataSummary(
        name=name,
        rows=frame.height,
        inputs=f"rows of {counted(len(columns), 'column')}",
        notes=tuple(notes),
        columns=shown,
        target=described,
        parts=sizes,
        split=parts.split if parts else "",
        leaks=leaks,
        repeats=repeats,
        advice=tuple(found),
    )


def summary_of_file(path: Path, options: ReadOptions | None = None) -> DataSummary:
    """The summary of a table without a target, from its file.

    Args:
        path: of the file.
        options: how it is to be read, where that is not found out.
    """
    reading = read_table(path, options)
    return summary_of_table(path.name, reading.frame, reading.columns, reading.notes, None, None)


def _column(
    frame: pl.DataFrame, column: ColumnReading, target: TableTarget | None, parts: TableParts | None
) -> ColumnSummary:
    role = "left out" if column.kind in LEFT_OUT else "input"
    if parts and column.name == parts.column:
        role = parts.split_by
    if target and column.name == target.name:
        role = "target"
    return ColumnSummary(
        column.name,
        column.kind,
        column.reason,
        column.gaps,
        column.distinct,
        _values(frame[column.name]),
        role,
    )


def _with_target(frame: pl.DataFrame, target: TableTarget) -> pl.DataFrame:
    import polars as pl  # heavy

    values = target.values
    if target.classes:
        values = np.array(target.classes, dtype=object)[values]
    return frame.with_columns(pl.Series(target.name, values))


def _values(column: pl.Series) -> str:
    """The range of numbers and times; the most frequent words with their shares."""
    present = column.drop_nulls()
    if not present.len():
        return ""
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        least, most = present.min(), present.max()
        if isinstance(least, float) and isinstance(most, float):
            digits = digits_of(least, most, most - least)
            low, high = number_text(least, digits), number_text(most, digits)
        elif isinstance(least, int) and isinstance(most, int) and max(-least, most) >= 10_000:
            low, high = f"{least:,}", f"{most:,}"
        else:
            low, high = as_text(least), as_text(most)
        return low if low == high else f"{low} to {high}"
    counts = present.value_counts(sort=True).head(MOST_WORDS)
    words = [(str(word), count / present.len()) for word, count in counts.iter_rows()]
    if words[0][1] < RARE_WORD or counts["count"][0] == 1:
        return f"such as {', '.join(word for word, _ in words)}"
    return ", ".join(f"{word} {percent(share)}" for word, share in words)


def _target(target: TableTarget) -> TargetSummary:
    if target.classes:
        counts = np.bincount(target.values, minlength=len(target.classes)).tolist()
        return TargetSummary(
            target.name, target.task, dict(zip(target.classes, counts, strict=True))
        )
    return TargetSummary(target.name, target.task, numbers=numbers_of(target.values))


def _absent_classes(target: TableTarget | None, parts: TableParts | None) -> list[str]:
    if target is None or parts is None or not target.classes:
        return []
    counts = {
        name: np.bincount(target.values[rows], minlength=len(target.classes))
        for name, rows in zip(("train", "valid", "test"), parts.rows, strict=True)
    }
    return advice.part_advice(target.classes, counts, parts.split_by)


def _leaks(
    frame: pl.DataFrame, inputs: Mapping[str, str], target: TableTarget
) -> tuple[SuspectedLeak, ...]:
    has_classes = bool(target.classes)
    scores = column_scores(frame, inputs, target.values, has_classes)
    least = BY_VALUES if has_classes else BY_NUMBERS
    found = [
        SuspectedLeak(name, max(by_values, by_gaps), by_gaps >= BY_GAPS)
        for name, (by_values, by_gaps) in scores.items()
        if by_values >= least or by_gaps >= BY_GAPS
    ]
    return tuple(sorted(found, key=lambda leak: -leak.score))


def _repeats(
    frame: pl.DataFrame, columns: Sequence[ColumnSummary], parts: TableParts | None
) -> Repeats:
    """Rows that are equal in all columns but those that are left out."""
    compared = [column.name for column in columns if column.role != "left out"]
    if not compared:
        return Repeats()
    nowhere = np.arange(0)
    rows = parts.rows if parts else (nowhere, nowhere, nowhere)
    return Repeats(*counted_repeats(hashes_of_frame(frame.select(compared)), rows))
