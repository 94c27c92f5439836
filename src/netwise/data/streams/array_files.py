"""Rows of one or several .npy files, which are mapped into memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from netwise.data.mapped_array import MappedRows
from netwise.data.streams.row_plan import RowPlan
from netwise.data.streams.sample_form import require_finite
from netwise.errors import DataError, short_repr
from netwise.file_errors import file_errors

BLOCK_BYTES = 2**20  # that are read together, where rows come from all over a large file


class ArrayFileRows:
    """The rows of files that follow each other, as the store of `LazyRows`.

    Args:
        arrays: mapped, of one shape.
        plan: see `RowPlan`.
        missing: gaps (NaN) are allowed.
        announce: see `MappedRows`.
    """

    device = torch.device("cpu")

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        plan: RowPlan,
        missing: bool,
        announce: bool | None = None,
    ) -> None:
        self.stores = [MappedRows(each, announce) for each in arrays]
        self.ends = np.cumsum([len(each) for each in arrays])
        self.plan, self.missing = plan, missing

    def __len__(self) -> int:
        return int(self.ends[-1])

    def begin(self, epoch: int, rows: Tensor | None = None) -> None:
        """Begin an epoch."""

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        if len(self.stores) == 1:
            x = self.stores[0].index_select(0, index)
        else:
            x = self._of_several(index)
        require_finite(x, index.tolist() if not bool(torch.isfinite(x.sum())) else (), self.missing)
        return x

    def _of_several(self, index: Tensor) -> Tensor:
        files = np.searchsorted(self.ends, index.numpy(), side="right")
        starts = self.ends - [len(each) for each in self.stores]
        x = self.stores[0].index_select(0, index[:0])
        x = x.new_empty((len(index), *x.shape[1:]))
        for file in np.unique(files):
            places = torch.from_numpy(np.flatnonzero(files == file))
            x[places] = self.stores[file].index_select(0, index[places] - int(starts[file]))
        return x


def mapped_files(paths: Sequence[str]) -> list[np.ndarray]:
    """The arrays of .npy files, mapped.

    Raises:
        DataError: a file is none, or they have different shapes.
        FileAccessError: a file cannot be read.
    """
    arrays = []
    for path in paths:
        with file_errors(Path(path)):
            try:
                array = np.load(path, mmap_mode="r", allow_pickle=False)
            except ValueError as error:
                raise DataError(
                    f"{path} cannot be mapped ({error}): write numbers with numpy.save(path, array)"
                ) from None
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf" or not array.ndim:
            raise DataError(
                f"{path} holds no array of numbers: write one with numpy.save(path, array)"
            )
        arrays.append(array)
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) > 1:
        raise DataError(
            f"{short_repr(list(paths))}: their samples have the shapes {sorted(shapes)[:3]}: name "
            "files of one shape"
        )
    return arrays
