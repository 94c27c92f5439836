"""A summary as lines of text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from textwrap import wrap

from netwise.data.summary.values import SummaryFields, TargetSummary
from netwise.tasks import task_named

WIDTH = 100
NAME, VALUES, REASON = 24, 26, 36  # most characters of a cell; of a reason at least
MOST_CLASSES = 10
_ALL_CELLS = re.compile(r"^all [\d,]+ cells with a value are ")
HEAD = ("column", "read as", "gaps", "different", "values", "why")


def summary_text(summary: SummaryFields, columns: int) -> str:
    """The lines of a summary, with at most `columns` rows in its table."""
    lines = [heading(summary), *summary.notes]
    if summary.columns:
        lines += ["", *table_lines(column_rows(summary)[:columns])]
        more = len(summary.columns) - columns
        if more > 0:
            lines.append(f"and {counted(more, 'more column')}")
    lines.append("")
    for sentence in sentences(summary):
        lines += wrap(sentence, WIDTH, subsequent_indent="  ")
    if summary.advice:
        lines += ["", "Look at this before training:"]
        for advice in summary.advice:
            lines += wrap(advice, WIDTH, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines)


def heading(summary: SummaryFields) -> str:
    """Name and size."""
    inputs = summary.inputs
    if summary.rows == 1:
        inputs = re.sub(r"^rows\b", "row", inputs)
    return f"{summary.name}: {summary.rows:,} {inputs}."


def sentences(summary: SummaryFields) -> list[str]:
    """What is said below the table: target, what is left out, gaps, parts, repeated rows."""
    return [
        target_sentence(summary.target),
        _left_out(summary),
        _gaps(summary),
        _parts(summary.parts, summary.split),
        _repeats(summary),
    ]


def column_rows(summary: SummaryFields) -> list[tuple[str, ...]]:
    """The cells of the table, below `HEAD`."""
    return [
        (
            column.name,
            column.kind
            if column.role in ("input", "left out")
            else f"{column.kind} ({column.role})",
            f"{column.gaps:,}" if column.gaps else "",
            f"{column.distinct:,}",
            column.values,
            column.reason,
        )
        for column in summary.columns
    ]


def table_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned columns, of which long cells are cut."""
    limits = (NAME, VALUES, 12, 12, VALUES)
    cut = [[_cut(cell, limit) for cell, limit in zip(row, limits, strict=False)] for row in rows]
    widths = [max(len(row[i]) for row in [HEAD, *cut]) for i in range(len(limits))]
    widths.append(max(REASON, WIDTH - sum(widths) - 2 * len(widths)))
    # The start is the same in most rows, and hides the rest where a line is short.
    reasons = [_cut(_ALL_CELLS.sub("", row[-1]), widths[-1]) for row in rows]
    cut = [[*short, reason] for short, reason in zip(cut, reasons, strict=True)]
    cut.insert(0, list(HEAD))
    right = (2, 3)
    return [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cut
    ]


def target_sentence(target: TargetSummary | None) -> str:
    """The target with its classes or its numbers."""
    if target is None:
        return ""
    name = f"Target `{target.name}`" if target.name else "Target"
    if target.counts:
        total = sum(target.counts.values())
        largest = sorted(target.counts.items(), key=lambda item: -item[1])[:MOST_CLASSES]
        classes = ", ".join(f"{each}: {n:,} ({percent(n / total)})" for each, n in largest)
        more = len(target.counts) - len(largest)
        others = f" and {more:,} more" if more > 0 else ""
        majority, share = target.majority
        return (
            f"{name}: {len(target.counts):,} classes, {classes}{others}. To answer `{majority}` "
            f"always is right in {percent(share)}."
        )
    if target.numbers:
        found = target.numbers
        digits = digits_of(found["smallest"], found["largest"], found["deviation"])
        n = {key: number_text(value, digits) for key, value in target.numbers.items()}
        return (
            f"{name}: numbers (regression) from {n['smallest']} to {n['largest']}, mean "
            f"{n['mean']}, standard deviation {n['deviation']}. To answer the mean always has R² 0."
        )
    return f"{name}: none ({target.task})." if not task_named(target.task).has_classes else ""


def digits_of(low: float, high: float, spread: float) -> int:
    """As many as show the spread of numbers beside their size, from 5 to 15."""
    ratio = max(abs(low), abs(high)) / spread if spread > 0 else 1.0
    return min(15, max(5, 3 + math.ceil(math.log10(max(ratio, 1.0)))))


def number_text(value: float, digits: int) -> str:
    """A number with so many digits and commas between thousands; with an exponent where it is
    very small or large.

    >>> number_text(851_749.6, 5), number_text(0.05, 5), number_text(3e-9, 5)
    ('851,750', '0.05', '3e-09')
    """
    if not math.isfinite(value) or (value and not 1e-4 <= abs(value) < 1e15):
        return f"{value:.{digits}g}"
    size = math.floor(math.log10(abs(value))) if value else 0
    text = f"{value:,.{max(0, digits - 1 - size)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _left_out(summary: SummaryFields) -> str:
    left = [f"{c.name} ({c.kind})" for c in summary.columns if c.role == "left out"]
    return f"Left out of the inputs: {_listed(left)}." if left else ""


def _gaps(summary: SummaryFields) -> str:
    columns = [column for column in summary.columns if column.gaps]
    if not summary.columns:
        return ""
    if not columns:
        return "Gaps: none."
    columns = sorted(columns, key=lambda column: -column.gaps)
    shares = [f"{column.name} {percent(column.gaps / summary.rows)}" for column in columns]
    return f"Gaps: in {counted(len(columns), 'column')}: {_listed(shares)}."


def _parts(parts: Mapping[str, int], split: str) -> str:
    if not parts:
        return ""
    return (
        f"Parts: {parts['train']:,} rows to train on, {parts['valid']:,} to validate on, "
        f"{parts['test']:,} for the test" + (f"; {split}." if split else ".")
    )


def _repeats(summary: SummaryFields) -> str:
    repeats = summary.repeats
    if repeats is None:
        return ""
    if not repeats.rows:
        return "Repeated rows: none."
    found = f"Repeated rows: {repeats.rows:,} of {summary.rows:,}"
    if not summary.parts:
        return f"{found}."
    return (
        f"{found}; {repeats.valid:,} of the validation part and {repeats.test:,} of the test part "
        "are in an earlier part too."
    )


def _listed(items: Sequence[str], most: int = 8) -> str:
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more:,} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """ "1 row", "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """ "12.3 %"; 100 % and 0 % only where it is exact."""
    rounded = f"{100 * share:.1f}"
    if rounded == "100.0" and share < 1:
        rounded = "99.9"
    return ("under 0.1" if rounded == "0.0" and share > 0 else rounded) + " %"


def _cut(cell: str, limit: int) -> str:
    cell = " ".join(cell.split())
    return cell if len(cell) <= limit else cell[: limit - 1] + "…"
