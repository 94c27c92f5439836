"""What the encoders of all kinds of columns have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Any, ClassVar

from torch import Tensor

from netwise.data.columns.cells import Cells
from netwise.data.raw_inputs import RawInput


class ColumnEncoder(ABC):
    """One column of a table, as it was fitted to the training part: a frozen dataclass."""

    kind: ClassVar[str]
    name: str

    @property
    @abstractmethod
    def feature_names(self) -> tuple[str, ...]:
        """A name for each input that the column becomes."""

    @abstractmethod
    def raw_input(self) -> RawInput:
        """What `computed` takes, for a file of the network with its encoder."""

    @abstractmethod
    def numbers(self, cells: Cells) -> Tensor:
        """Numbers of the cells, (rows,) or (rows, numbers): NaN or a code for a gap.

        Raises:
            DataError: a cell cannot be read as the column's kind; names the row.
        """

    @abstractmethod
    def computed(self, numbers: Tensor) -> Tensor:
        """The inputs, float32 (rows, features), of what `numbers` gave."""

    def encoded(self, cells: Cells) -> Tensor:
        """The inputs, float32 (rows, features), of cells."""
        return self.computed(self.numbers(cells))

    def plain(self) -> dict[str, Any]:
        """All fields, as values of a JSON file."""
        return {"kind": self.kind, **asdict(self)}  # type: ignore[call-overload]
