"""Rows of inputs and targets from the batches that were kept of a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.row_fingerprints import row_keys
from netwise.observe.simple_models import Rows, products_of, products_of_symbols, scaled
from netwise.observe.tensor_samples import rows_of
from netwise.wiring import CROSS_ENTROPY

MOST_ROWS = 600  # of a sample
MOST_FEATURES = 2000  # of more, evenly distributed ones
MOST_PLACES = 40  # symbols of a row that are compared place by place; of more they are counted
MOST_CLASSES = 64
BUCKETS = 2048  # of symbols that are counted
FEW = 20  # whole numbers that are taken for classes where the loss does not show it


@dataclass(frozen=True, eq=False)
class DataSample:
    """Rows with their targets, each row once.

    Args:
        numbers: (rows, features) of all inputs of real numbers; None without any.
        symbols: (rows, places) of all inputs of whole numbers; None without any.
        target: (rows, columns): rows with a single 1 for classes, else numbers.
        is_class: what `target` is.
        keys: a number for each row; equal rows have equal ones.
        pairs: whether each sample is two inputs of one shape.
    """

    numbers: Rows | None
    symbols: NDArray[np.int64] | None
    target: Rows
    is_class: bool
    keys: tuple[int, ...]
    pairs: bool = False

    def __len__(self) -> int:
        return len(self.target)

    def first(self, most: int) -> DataSample:
        """Some of the rows, evenly distributed over them."""
        if len(self) <= most:
            return self
        return self.rows(np.unique(np.linspace(0, len(self) - 1, most).round().astype(int)))

    def rows(self, places: NDArray[np.int64]) -> DataSample:
        """The rows with these numbers."""
        return DataSample(
            None if self.numbers is None else self.numbers[places],
            None if self.symbols is None else self.symbols[places],
            self.target[places],
            self.is_class,
            tuple(self.keys[place] for place in places),
            self.pairs,
        )


def unordered(sample: DataSample) -> DataSample | None:
    """The sample with how often each row has each symbol, in the place of its symbols; None where
    it has inputs of numbers, or models of it know no places."""
    if sample.symbols is None or sample.numbers is not None:
        return None
    if not 1 < sample.symbols.shape[1] <= MOST_PLACES:
        return None
    return replace(sample, numbers=_counted(sample.symbols), symbols=None)


def products(sample: DataSample, other: DataSample | None = None) -> Rows:
    """Scalar products of all rows, those of `other` after those of `sample`, with features in the
    units of `sample`."""
    parts: list[Rows] = []
    if sample.numbers is not None:
        both = [sample.numbers] if other is None else [sample.numbers, _numbers(other)]
        parts.append(_normed(products_of(scaled(np.concatenate(both), sample.numbers))))
        if sample.pairs:
            parts.append(_normed(products_of(scaled(*_differences(both)))))
    if sample.symbols is not None:
        symbols = sample.symbols
        if other is not None and other.symbols is not None:
            symbols = np.concatenate([symbols, other.symbols])
        if symbols.shape[1] <= MOST_PLACES:
            parts.append(_centred(products_of_symbols(symbols, symbols)))
        else:
            counts = _counted(symbols)
            parts.append(_normed(products_of(scaled(counts, counts[: len(sample)]))))
    total: Rows = sum(parts[1:], parts[0]) / len(parts)
    return total


def _numbers(sample: DataSample) -> Rows:
    assert sample.numbers is not None
    return sample.numbers


def _differences(parts: Sequence[Rows]) -> tuple[Rows, Rows]:
    half = parts[0].shape[1] // 2
    rows = [np.abs(part[:, :half] - part[:, half:]) for part in parts]
    return np.concatenate(rows), rows[0]


def _normed(values: Rows) -> Rows:
    return values / max(float(np.mean(np.diag(values))), 1e-12)


def _centred(values: Rows) -> Rows:
    """Products of rows from which the mean row is taken."""
    across = values.mean(0)
    return _normed(values - across - across[:, None] + values.mean())


def _counted(symbols: NDArray[np.int64]) -> Rows:
    """How often each symbol occurs in a row."""
    counts = np.zeros((len(symbols), BUCKETS))
    np.add.at(counts, (np.arange(len(symbols))[:, None], symbols % BUCKETS), 1.0)
    return counts


def sample_of(
    batches: Sequence[KeptBatch],
    classes: int | None = None,
    most: int = MOST_ROWS,
    operation: str = "",
) -> DataSample | str:
    """The rows of several batches with their targets; a sentence where there are none.

    Args:
        batches: those without a target, or of another shape than the first, are left out.
        classes: class numbers are below it. Default: above the highest one.
        most: rows; of more, evenly distributed ones.
        operation: of the loss where batches do not have it.
    """
    known = [b for b in batches if b.target is not None and b.inputs]
    if not known:
        return "the targets of no batch are known"
    shapes = [_shape(batch) for batch in known]
    chosen = [b for b, shape in zip(known, shapes, strict=True) if shape == shapes[-1]]
    rows = _rows(chosen[0])
    if not rows or any(_rows(batch) != len(_target(batch)) for batch in chosen):
        return "inputs and targets do not have the same number of rows"
    target = torch.cat([_target(batch) for batch in chosen])
    if any(same_values(t, target) for t in _joined(chosen)):
        return "the targets are the inputs"
    is_class, columns = _columns(target, chosen[0].operation or operation, classes)
    if columns is None:
        return "the targets are neither one class nor a few numbers for each row"
    keys = [key for batch in chosen for key in row_keys(batch.inputs)]
    if len(keys) != len(columns):
        return "rows of the inputs cannot be compared"
    counted = columns.sum(1) if is_class else np.where(np.isfinite(columns).all(1), 1.0, 0.0)
    last = {keys[place]: place for place in np.nonzero(counted)[0].tolist()}
    places = np.array(sorted(last.values()), dtype=np.int64)
    if len(places) > most:
        places = places[np.unique(np.linspace(0, len(places) - 1, most).round().astype(int))]
    numbers, symbols = _inputs(_joined(chosen), places)
    if numbers is None and symbols is None:
        return "the inputs have no numbers"
    return DataSample(
        numbers,
        symbols,
        columns[places],
        is_class,
        tuple(keys[place] for place in places),
        _is_pair(chosen[0].inputs),
    )


def same_values(inputs: Tensor, target: Tensor) -> bool:
    """Whether targets are the inputs themselves."""
    if inputs.numel() != target.numel():
        return False
    return bool(torch.equal(inputs.reshape(-1).float(), target.reshape(-1).float()))


def _target(batch: KeptBatch) -> Tensor:
    assert batch.target is not None
    return batch.target


def _shape(batch: KeptBatch) -> tuple[object, ...]:
    tensors = [*batch.inputs, _target(batch)]
    return tuple((tuple(t.shape[1:]), t.dtype) for t in tensors)


def _rows(batch: KeptBatch) -> int:
    sizes = {len(t) if t.dim() else 0 for t in batch.inputs}
    return sizes.pop() if len(sizes) == 1 else 0


def _joined(batches: Sequence[KeptBatch]) -> list[Tensor]:
    return [torch.cat(list(each)) for each in zip(*(b.inputs for b in batches), strict=True)]


def _is_pair(inputs: Sequence[Tensor]) -> bool:
    """Two inputs of one shape, or one whose second axis has two places."""
    if len(inputs) == 2:
        return inputs[0].shape == inputs[1].shape and inputs[0].is_floating_point()
    return len(inputs) == 1 and inputs[0].dim() > 2 and inputs[0].shape[1] == 2


def _inputs(
    tensors: Sequence[Tensor], places: NDArray[np.int64]
) -> tuple[Rows | None, NDArray[np.int64] | None]:
    chosen = torch.from_numpy(places)
    most = max(1, MOST_FEATURES // len(tensors))
    numbers: list[Rows] = []
    symbols: list[NDArray[np.int64]] = []
    for tensor in tensors:
        rows = rows_of(tensor[chosen], most, most * len(chosen))
        if tensor.is_floating_point():
            values = rows.double().numpy()
            numbers.append(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0))
        else:
            symbols.append(rows.long().numpy())
    return (
        np.concatenate(numbers, 1) if numbers else None,
        np.concatenate(symbols, 1) if symbols else None,
    )


def _columns(
    target: Tensor, operation: str, classes: int | None
) -> tuple[bool, NDArray[np.float64] | None]:
    """Whether targets are classes, and their columns; rows of ignored classes are all 0."""
    if target.dim() == 2 and target.shape[1] == 1:
        target = target[:, 0]
    values = target.double().numpy()
    if target.dim() == 1:
        whole = bool(np.all(values == np.round(values)))
        different = np.unique(values)
        named = operation == CROSS_ENTROPY and not target.is_floating_point()
        binary = whole and set(different.tolist()) <= {0.0, 1.0}
        few = whole and not target.is_floating_point() and len(different) <= FEW
        if named or binary or few:
            return True, _one_hot(values.astype(np.int64), classes)
        return False, values[:, None]
    if target.dim() != 2 or target.shape[1] > MOST_CLASSES:
        return False, None
    one_hot = values.min() >= 0 and np.allclose(values.sum(1), 1.0, atol=1e-4)
    if one_hot and target.is_floating_point():
        columns: Rows = np.eye(values.shape[1])[values.argmax(1)]
        return True, columns
    return False, values


def _one_hot(numbers: NDArray[np.int64], classes: int | None) -> NDArray[np.float64] | None:
    highest = int(numbers.max(initial=0))
    width = max(highest + 1, classes or 0, 2)
    if width > MOST_CLASSES:
        return None
    columns = np.zeros((len(numbers), width))
    used = numbers >= 0
    columns[np.nonzero(used)[0], numbers[used]] = 1.0
    return columns
