"""Samples that are read by their numbers: data sets with `__getitem__` and `__len__`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwise import random_streams
from netwise.data.streams.row_plan import RowPlan
from netwise.data.streams.sample_form import (
    SampleForm,
    batch_targets,
    many_rows,
    one_row,
    require_finite,
    targets_array,
)
from netwise.errors import DataError

PROBED = 16  # samples that show what a data set is like
AT_ONCE = 1024


class IndexedRows:
    """The samples of a data set, as the store of `LazyRows`.

    Where a sample is drawn at random (augmentation in `__getitem__`), the global generators of
    Python, NumPy and torch are seeded by (number of the sample, epoch) before it and put back after
    it, so that a run that continues gets the same samples.

    Args:
        dataset: has `__getitem__`.
        rows: how many samples it has.
        form: of the samples.
        collate: makes a batch of samples; None: each sample is one row.
        missing: gaps (NaN) are allowed.
    """

    device = torch.device("cpu")
    in_sequence = False

    def __init__(
        self,
        dataset: Any,
        rows: int,
        form: SampleForm,
        collate: Callable[[list[Any]], Any] | None = None,
        missing: bool = False,
    ) -> None:
        self.dataset, self.rows, self.form, self.collate = dataset, rows, form, collate
        self.missing, self.epoch = missing, 0
        self.plan = RowPlan(window=max(2, rows))
        self.draws = False
        before = _states()
        self.read([0])
        self.draws = _states() != before

    def __len__(self) -> int:
        return self.rows

    def begin(self, epoch: int, rows: Tensor | None = None) -> None:
        """Begin an epoch: samples that are drawn are drawn anew."""
        self.epoch = epoch

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        if not len(index):
            return self.read([0])[0][:0]
        return self.read(index.tolist())[0]

    def read(self, rows: Sequence[int]) -> tuple[Tensor, np.ndarray | None]:
        """Inputs and targets of the samples with these numbers."""
        samples = self._samples(rows)
        if self.collate is not None:
            inputs, targets = self.form.parts(self.collate(samples))
            x, y = many_rows(inputs), batch_targets(targets)
        else:
            parts = [self.form.parts(sample) for sample in samples]
            each = [one_row(inputs) for inputs, _ in parts]
            shapes = {tuple(row.shape) for row in each}
            if len(shapes) > 1:
                raise DataError(
                    f"samples have different shapes, such as {sorted(shapes)[:3]}: give all the "
                    "same one, or a DataLoader with a collate_fn that does"
                )
            x, y = torch.stack(each), targets_array([target for _, target in parts])
        require_finite(x, rows, self.missing)
        return x, y

    def targets(self) -> np.ndarray | None:
        """The targets of all samples: those that the data set lists, where the samples have the
        same, else all samples are read once."""
        probe = np.unique(np.linspace(0, self.rows - 1, PROBED).round().astype(int))
        shown = self.read(probe.tolist())[1]
        if shown is None:
            return None
        listed = listed_targets(self.dataset, self.form)
        if listed is not None and len(listed) == self.rows:
            same = np.asarray(listed[probe]).reshape(len(probe), -1).tolist()
            if same == shown.reshape(len(probe), -1).tolist():
                return listed
        pieces = range(0, self.rows, AT_ONCE)
        found = [self.read(range(i, min(self.rows, i + AT_ONCE)))[1] for i in pieces]
        return np.concatenate([each for each in found if each is not None])

    def _samples(self, rows: Sequence[int]) -> list[Any]:
        if self.draws:
            with _generators_put_back():
                return [self._drawn(row) for row in rows]
        many = getattr(self.dataset, "__getitems__", None)
        if many is not None:
            found: list[Any] = list(many(list(rows)))
            return found
        return [self.dataset[row] for row in rows]

    def _drawn(self, row: int) -> Any:
        seed = random_streams.seed_of(row, random_streams.AUGMENT, self.epoch)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # the generator that data sets draw from
        torch.manual_seed(seed)
        return self.dataset[row]


def _states() -> tuple[Any, ...]:
    of_numpy = np.random.get_state(legacy=False)["state"]
    of_torch = torch.get_rng_state().numpy().tobytes()
    return random.getstate(), bytes(of_numpy["key"]), of_numpy["pos"], of_torch


@contextmanager
def _generators_put_back() -> Iterator[None]:
    of_python, of_numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(of_python)
            np.random.set_state(of_numpy)


def listed_targets(dataset: Any, form: SampleForm) -> np.ndarray | None:
    """The targets that a data set lists beside its samples, as those of torchvision, of torch's
    `TensorDataset` and of Hugging Face do; None where it lists none.

    Example:
        >>> import torch
        >>> from netwise.data.streams.indexed import listed_targets
        >>> from netwise.data.streams.sample_form import SampleForm
        >>> data = torch.utils.data.TensorDataset(torch.zeros(3, 2), torch.tensor([1, 0, 1]))
        >>> listed_targets(data, SampleForm())
        array([1, 0, 1])
    """
    if isinstance(dataset, torch.utils.data.Subset):
        inner = listed_targets(dataset.dataset, form)
        return None if inner is None else inner[np.asarray(dataset.indices)]
    if isinstance(dataset, torch.utils.data.TensorDataset) and len(dataset.tensors) == 2:
        return batch_targets(dataset.tensors[1])
    if form.target and hasattr(dataset, "column_names"):
        return np.asarray(dataset[form.target])
    for name in ("targets", "labels"):
        listed = getattr(dataset, name, None)
        if isinstance(listed, Tensor | np.ndarray | list | tuple):
            return batch_targets(listed)
    return None
