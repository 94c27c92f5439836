"""The values that a summary of data consists of: plain numbers and texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class ColumnSummary:
    """One column of a table.

    Args:
        name: of the column.
        kind: what it was read as, such as "number" or "category".
        reason: why it was read as that.
        gaps: cells without a value.
        distinct: different values.
        values: its range, or its most frequent words, as text.
        role: "input", "target", "time" or "group" (what the data are split by), or "left out".
    """

    name: str
    kind: str
    reason: str
    gaps: int
    distinct: int
    values: str
    role: str


@dataclass(frozen=True)
class TargetSummary:
    """What is to be predicted.

    Args:
        name: of the column; "" where the data have no columns.
        task: "classification", "regression" or another task.
        counts: samples of each class, by its name; empty for other tasks.
        numbers: mean, standard deviation, smallest and largest target of a regression.
    """

    name: str
    task: str
    counts: Mapping[str, int] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def majority(self) -> tuple[str, float]:
        """(the most frequent class, its share of the samples)."""
        name = max(self.counts, key=lambda each: self.counts[each])
        return name, self.counts[name] / sum(self.counts.values())


def numbers_of(values: np.ndarray) -> Mapping[str, float]:
    """Mean, standard deviation, smallest and largest value."""
    return {
        "mean": float(values.mean()),
        "deviation": float(values.std()),
        "smallest": float(values.min()),
        "largest": float(values.max()),
    }


@dataclass(frozen=True)
class SuspectedLeak:
    """A column that predicts the target nearly alone.

    Args:
        column: its name.
        score: balanced accuracy, or R², of the column alone on rows that it was not fitted to.
        by_gaps: whether a value is there or not is enough for that.
    """

    column: str
    score: float
    by_gaps: bool = False


@dataclass(frozen=True)
class Repeats:
    """Rows that are equal in all inputs and in the target.

    Args:
        rows: that repeat an earlier row.
        valid: rows of the validation part that are in the training part too.
        test: rows of the test part that are in the training or the validation part too.
    """

    rows: int = 0
    valid: int = 0
    test: int = 0


@dataclass(frozen=True)
class SummaryFields:
    """What data hold.

    Args:
        name: of the file or data set.
        rows: samples of all parts together.
        inputs: what one of them is, such as "rows of 8 columns".
        notes: how the data were read, as sentences.
        columns: of a table; empty for other data.
        target: what is to be predicted; None where that is not chosen yet.
        parts: samples of the training, validation and test part.
        split: how the parts were chosen, as a sentence.
        leaks: columns that predict the target nearly alone.
        repeats: rows that are there more than once; None where that is not known.
        advice: what to look at before training, as sentences, the most important first.
    """

    name: str
    rows: int
    inputs: str = ""
    notes: tuple[str, ...] = ()
    columns: tuple[ColumnSummary, ...] = ()
    target: TargetSummary | None = None
    parts: Mapping[str, int] = field(default_factory=dict)
    split: str = ""
    leaks: tuple[SuspectedLeak, ...] = ()
    repeats: Repeats | None = None
    advice: tuple[str, ...] = ()
