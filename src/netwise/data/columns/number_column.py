"""Numbers: gaps filled, centred and scaled in float64, then cast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.cells import Cells, as_numbers
from netwise.data.columns.column import ColumnEncoder
from netwise.data.raw_inputs import RawInput
from netwise.errors import DataError, short_repr


@dataclass(frozen=True)
class NumberColumn(ColumnEncoder):
    """A numeric column: missing cells become the median, then mean 0 and spread 1; the three
    numbers are those of the training part.

    The mean is subtracted in float64: 1.7e9 and 1.7e9 + 50 are one number in float32.

    Args:
        gaps: a second input is 1 where the cell is missing, because the training part had gaps.
    """

    kind: ClassVar[str] = "number"
    name: str
    median: float
    mean: float
    scale: float
    gaps: bool = False

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} is missing") if self.gaps else (self.name,)

    def raw_input(self) -> RawInput:
        return RawInput(self.name, (), torch.float64)

    def numbers(self, cells: Cells) -> Tensor:
        return torch.from_numpy(as_numbers(cells, self.name))

    def computed(self, numbers: Tensor) -> Tensor:
        # Constants are tensors: exported files keep Python numbers in float32 only.
        median, mean, scale = numbers.new_tensor([self.median, self.mean, self.scale])
        missing = numbers.isnan()
        scaled = ((torch.where(missing, median, numbers) - mean) / scale).float()[:, None]
        return torch.cat([scaled, missing.float()[:, None]], dim=1) if self.gaps else scaled


def fit_numbers(cells: Cells, name: str) -> NumberColumn:
    """The encoder of a column of numbers, from its training cells."""
    values = as_numbers(cells, name)
    known = values[~np.isnan(values)]
    median = median_of(known) if len(known) else 0.0
    filled = np.where(np.isnan(values), median, values)
    mean, scale = centre_and_scale(filled, name)
    return NumberColumn(name, median, mean, scale, len(known) < len(values))


def centre_and_scale(values: np.ndarray, name: str) -> tuple[float, float]:
    """Mean and standard deviation; a deviation of 1 for a constant.

    Both are computed of the distances from the median, in units of the largest: squares neither
    overflow, nor drown in rounding errors of a large mean.

    Raises:
        DataError: the values are further apart than float64 can express.
    """
    if not len(values):
        return 0.0, 1.0
    median = median_of(values)
    with np.errstate(over="ignore"):
        distances = values - median
        largest = float(np.abs(distances).max())
    if not np.isfinite(largest):
        row = int(np.abs(values).argmax())
        raise DataError(
            f"column {short_repr(name)}: {values[row]:.3g} is too far from the median {median:.3g}:"
            " write a smaller number, or leave the cell empty"
        )
    if largest == 0:
        return median, 1.0
    distances /= largest
    return median + float(distances.mean()) * largest, float(distances.std()) * largest


def median_of(values: np.ndarray) -> float:
    """The median; of halves, whose sum does not overflow."""
    return 2 * float(np.median(values / 2))
