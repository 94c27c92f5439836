"""A summary of data as a value that prints itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from netwise.data.summary.summary_text import summary_text
from netwise.data.summary.values import SummaryFields
from netwise.printed_text import printable


@dataclass(frozen=True)
class DataSummary(SummaryFields):
    """What data hold. Made by `Data.summary()`; its text is what `netwise data` prints.

    Args:
        name, rows, inputs, notes, columns, target, parts, split, leaks, repeats, advice: see
            `SummaryFields`.

    Example:
        >>> import netwise as nw
        >>> summary = nw.data.iris().summary()
        >>> summary.rows, dict(summary.parts), summary.repeats.rows
        (150, {'train': 90, 'valid': 30, 'test': 30}, 1)
    """

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain values, for JSON."""
        return asdict(self)

    def text(self, columns: int = 40) -> str:
        """The summary as text.

        Args:
            columns: how many columns its table shows. Default 40.
        """
        return summary_text(self, columns)

    def __str__(self) -> str:
        return printable(self.text())
