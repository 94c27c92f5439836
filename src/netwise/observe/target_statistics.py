"""Statistics of a program's targets, in bounded memory: what they are, and the loss of the best
constant prediction."""

from __future__ import annotations

from math import log, prod
from typing import Any

import torch
from torch import Tensor

from netwise.observe.class_counts import ClassCounts
from netwise.observe.column_moments import TargetMoments
from netwise.observe.tensor_samples import MOST_NUMBERS, plain, rows_of
from netwise.tasks import CLASSIFICATION, REGRESSION
from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    HUBER,
    KL_DIVERGENCE,
    SQUARED_ERROR,
)

IGNORED = -100  # the class number that torch's losses ignore by default
MOST_SHARES = 128  # class numbers whose shares are given
FEWEST = 5  # targets for each class or column; of fewer a constant fits the sample by chance
FEWEST_ROWS = 8  # rows with a single 1 that are one-hot, where no outputs are known
CLASSES, NUMBERS = "classes", "numbers"
MOST_FEW = 1024  # class numbers that are read one by one


class TargetStatistics:
    """Statistics of the targets of many batches. No tensor of the program is kept.

    Of large batches a part is read (see `rows_of`), so the numbers are those of a sample.
    Targets that cannot be read (sparse, complex, without data) count as none.

    Example:
        >>> import torch
        >>> from netwise.observe.target_statistics import TargetStatistics
        >>> statistics = TargetStatistics()
        >>> statistics.add(torch.tensor([0, 1] * 10), output_shape=(20, 2))
        >>> statistics.facts()
        {'class_targets': True, 'classes': 2, 'task': 'classification'}
        >>> round(statistics.loss_of_guessing("cross entropy", "mean"), 4)  # ln 2
        0.6931
    """

    def __init__(self) -> None:
        self._kind = ""
        self._counts, self._moments = ClassCounts(), TargetMoments()
        self._width: int | None = None  # outputs for each target that is a class number
        self._shape: tuple[int, ...] = ()  # of one target
        self._batches, self._rows, self._elements = 0, 0, 0.0

    def add(
        self, target: Tensor, output_shape: tuple[int, ...] = (), ignore_index: int | None = None
    ) -> None:
        """Add the targets of a batch.

        Args:
            target: class numbers (samples, ...), numbers, or rows of numbers.
            output_shape: of the outputs that it is compared with; () where not known.
            ignore_index: the class number that does not count; None: -100, as in torch.
        """
        values = plain(target)
        if values is None or not values.numel():
            return
        with torch._C.DisableTorchFunction():
            if values.is_floating_point():
                kind = NUMBERS
            else:
                kind = _kind_of_whole_numbers(values, output_shape)
            self._kind = self._kind or kind
            if kind != self._kind:
                return  # of another loss
            if kind == NUMBERS:
                counted = 1.0
                self._moments.add_targets(rows_of(values).cpu().double(), tuple(values.shape[1:]))
            else:
                counted = self._add_classes(values, output_shape, ignore_index)
        self._shape = tuple(values.shape[1:])
        self._batches += 1
        self._rows += len(values) if values.dim() else 1
        self._elements += counted * values.numel()

    def _add_classes(
        self, values: Tensor, output_shape: tuple[int, ...], ignore_index: int | None
    ) -> float:
        """Count class numbers; the share of them that counts."""
        most_columns = max(64, MOST_NUMBERS // (len(values) if values.dim() else 1))
        # As an array: of a few numbers, operations of tensors take several times as long.
        numbers = rows_of(values, most_columns).flatten().cpu().long().numpy()
        used = numbers != (IGNORED if ignore_index is None else ignore_index)
        width = _width(tuple(values.shape), output_shape)
        if width is not None and width > 1:
            self._width = max(width, self._width or 0)
            used &= (numbers >= 0) & (numbers < width)  # a loss accepts others as ignored alone
        elif width is not None:
            self._width = self._width or width
        self._counts.add(torch.from_numpy(numbers[used]))
        return float(used.mean())

    def facts(self) -> dict[str, Any]:
        """Fields of `RunFacts` about the targets; {} without any that were read.

        >>> TargetStatistics().facts()
        {}
        """
        if self._kind == CLASSES and self._counts.classes:
            if not (self._width == 1 and self._counts.classes > 2):
                return _of_classes(self._counts.classes)
            values, shares = self._counts.distribution()
            mean = float((values * shares).sum())
            std = float(((values - mean).square() * shares).sum().sqrt())
            return _of_numbers(float(values.min()), float(values.max()), mean, std)
        moments = self._moments
        if self._kind == NUMBERS and moments.numbers:
            if moments.one_hot:
                return _of_classes(int((moments.mean > 0).sum()))
            return _of_numbers(moments.low, moments.high, *moments.pooled())
        return {}

    def class_shares(self) -> tuple[float, ...] | None:
        """The share of each class among targets that are class numbers, from class 0 on; None for
        other targets, and for class numbers that are negative or not below `MOST_SHARES`."""
        if not self.facts().get("class_targets") or self._kind != CLASSES:
            return None
        values, shares = self._counts.distribution()
        numbers = [int(value) for value in values.tolist()]
        if min(numbers) < 0 or max(numbers) >= MOST_SHARES:
            return None
        known = dict(zip(numbers, shares.tolist(), strict=True))
        return tuple(known.get(number, 0.0) for number in range(max(numbers) + 1))

    def loss_of_guessing(
        self, operation: str, reduction: str, label_smoothing: float | None = 0.0
    ) -> float | None:
        """The lowest loss of a constant prediction on these targets; None where not understood.

        Args:
            operation: a name of `netwise.wiring.LOSS_OPERATIONS`.
            reduction: "mean", "sum", "none" (averaged by the program) or "batchmean".
            label_smoothing: of a cross-entropy; None where it is not known.
        """
        if label_smoothing is None or not self._kind:
            return None
        value, counts_rows = self._guess(operation, label_smoothing)
        return self._reduced(value, reduction, counts_rows)

    def least_loss(
        self, operation: str, reduction: str, label_smoothing: float | None = 0.0
    ) -> float | None:
        """The loss of perfect predictions; None where not understood. Arguments as in
        `loss_of_guessing`."""
        if label_smoothing is None or not self._kind:
            return None
        value, counts_rows = self._least(operation, label_smoothing)
        return self._reduced(value, reduction, counts_rows)

    def _reduced(self, value: float | None, reduction: str, counts_rows: bool) -> float | None:
        """The loss of a batch from that of one target; of a whole row where `counts_rows`."""
        if value is None or not self._batches:
            return None
        if reduction in ("mean", "none"):
            return value
        if reduction == "sum":
            return value * (self._rows if counts_rows else self._elements) / self._batches
        if reduction == "batchmean":
            return value * (1.0 if counts_rows else self._elements / self._rows)
        return None

    def _guess(self, operation: str, smoothing: float) -> tuple[float | None, bool]:
        """The loss of one target, and whether that is a whole row."""
        if operation == CROSS_ENTROPY:
            return self._guess_of_classes(smoothing), self._kind == NUMBERS
        if operation == KL_DIVERGENCE:
            return self._guess_of_distributions(), False
        if operation not in (
            SQUARED_ERROR,
            ABSOLUTE_ERROR,
            BINARY_CROSS_ENTROPY,
            BINARY_CROSS_ENTROPY_OF_LOGITS,
        ):
            return None, False
        if operation == ABSOLUTE_ERROR:
            return self._absolute_error(), False
        columns = self._columns()
        if columns is None:
            return None, False
        mean, variance = columns
        if operation == SQUARED_ERROR:
            return float(variance.mean()), False
        if not self._are_shares():
            return None, False
        return float(_binary_entropy(mean).mean()), False

    def _guess_of_classes(self, smoothing: float) -> float | None:
        """Entropy of the mean distribution over the classes."""
        if self._kind == CLASSES:
            if not self._counts.enough(FEWEST):
                return None
            shares = self._counts.distribution()[1]
            outputs = self._width
        else:
            if not self._moments.are_distributions or self._moments.fewest < FEWEST:
                return None
            shares = self._moments.mean
            outputs = len(shares)
        if not smoothing:
            return -float(torch.xlogy(shares, shares).sum())
        if not outputs or outputs < len(shares):
            return None
        each = smoothing / outputs
        smooth = (1 - smoothing) * shares + each
        unseen = outputs - len(shares)
        return -float(torch.xlogy(smooth, smooth).sum()) - unseen * each * log(each)

    def _guess_of_distributions(self) -> float | None:
        moments = self._moments
        if self._kind != NUMBERS or not moments.are_distributions or moments.fewest < FEWEST:
            return None
        gain = moments.mean_xlogx - torch.xlogy(moments.mean, moments.mean)
        return float(gain.mean())

    def _columns(self) -> tuple[Tensor, Tensor] | None:
        """Mean and variance of each number of a target; None where too few were seen."""
        if self._kind == NUMBERS:
            if self._moments.fewest < FEWEST:
                return None
            return self._moments.mean, self._moments.variance
        if not self._counts.enough(FEWEST):
            return None
        values, shares = self._counts.distribution()
        if self._becomes_one_hot(values):
            columns = torch.zeros(self._width or 0, dtype=torch.float64, device="cpu")
            columns[values.long()] = shares
            return columns, columns * (1 - columns)
        mean = (values * shares).sum()
        return mean[None], ((values - mean).square() * shares).sum()[None]

    def _becomes_one_hot(self, values: Tensor) -> bool:
        """Class numbers compared with several outputs each: the loss has made one-hot rows."""
        return self._width is not None and self._width > 1 and float(values.max()) < self._width

    def _are_shares(self) -> bool:
        """All targets are from 0 to 1."""
        if self._kind == NUMBERS:
            return self._moments.low >= 0 and self._moments.high <= 1
        values, _ = self._counts.distribution()
        return self._becomes_one_hot(values) or 0 <= float(values.min()) <= float(values.max()) <= 1

    def _absolute_error(self) -> float | None:
        """Mean distance from the median."""
        if self._kind == NUMBERS:
            return self._moments.distance_from_median() if self._moments.fewest >= FEWEST else None
        if not self._counts.enough(FEWEST):
            return None
        values, shares = self._counts.distribution()
        if self._becomes_one_hot(values):
            return float(torch.minimum(shares, 1 - shares).sum()) / (self._width or 1)
        middle = int((shares.cumsum(0) < 0.5 - 1e-12).sum())
        return float(((values - values[middle]).abs() * shares).sum())

    def _least(self, operation: str, smoothing: float) -> tuple[float | None, bool]:
        whole_row = operation == CROSS_ENTROPY and self._kind == NUMBERS
        if operation in (SQUARED_ERROR, ABSOLUTE_ERROR, HUBER, KL_DIVERGENCE):
            return 0.0, False
        if operation == CROSS_ENTROPY and self._kind == CLASSES:
            if not smoothing:
                return 0.0, False
            if not self._width:
                return None, False
            each = smoothing / self._width
            right = 1 - smoothing + each
            return -right * log(right) - (self._width - 1) * each * log(each), False
        if operation == CROSS_ENTROPY:
            known = self._moments.are_distributions and not smoothing
            return (-float(self._moments.mean_xlogx.sum()) if known else None), whole_row
        if operation not in (BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS):
            return None, False
        if not self._are_shares():
            return None, False
        return (0.0 if self._kind == CLASSES else self._moments.mean_binary_entropy()), False


def few_class_numbers(target: Tensor, ignore_index: int | None) -> tuple[float, bool, int] | None:
    """The results of `share_ignored`, `all_alike` and `classes_in` for a batch of class numbers.

    None for other targets, and where there are so many that tensor operations are faster.

    >>> few_class_numbers(torch.tensor([2, 2, 2, -100]), None)
    (0.25, True, 1)
    """
    values = plain(target)
    if values is None or values.dim() != 1 or values.is_floating_point():
        return None
    if not 1 < len(values) <= MOST_FEW:
        return None
    numbers = values.tolist()
    ignored = IGNORED if ignore_index is None else ignore_index
    used = [number for number in numbers if number != ignored]
    classes = len(set(used))
    return 1 - len(used) / len(numbers), len(used) > 1 and classes == 1, classes


def share_ignored(target: Tensor, ignore_index: int | None) -> float:
    """The share of class numbers that a loss ignores; 0 for other targets.

    Args:
        target: of a batch.
        ignore_index: the class number that does not count; None: -100, as in torch.

    >>> share_ignored(torch.tensor([1, -100, 2, -100]), None)
    0.5
    """
    values = plain(target)
    if values is None or values.is_floating_point() or not values.numel():
        return 0.0
    with torch._C.DisableTorchFunction():
        ignored = IGNORED if ignore_index is None else ignore_index
        return float((rows_of(values).long() == ignored).double().mean())


def all_alike(target: Tensor, ignore_index: int | None) -> bool:
    """Whether all targets of a batch of several samples are the same, without ignored ones.

    >>> all_alike(torch.tensor([2, 2, -100]), None), all_alike(torch.tensor([2]), None)
    (True, False)
    """
    values = plain(target)
    if values is None or not values.dim() or len(values) < 2 or not values.numel():
        return False
    with torch._C.DisableTorchFunction():
        rows = rows_of(values)
        if values.is_floating_point():
            return bool((rows == rows[:1]).all())
        used = rows.long()[rows.long() != (IGNORED if ignore_index is None else ignore_index)]
        if _is_one_hot(rows):
            return bool((rows == rows[:1]).all())
        return len(used) > 1 and bool((used == used[0]).all())


def classes_in(target: Tensor, ignore_index: int | None) -> int | None:
    """The number of different classes in a batch; None where the targets are no classes.

    >>> classes_in(torch.tensor([2, 0, 2, -100]), None)
    2
    """
    values = plain(target)
    if values is None:
        return None
    with torch._C.DisableTorchFunction():
        rows = rows_of(values)
        if _is_one_hot(rows) and (values.is_floating_point() or len(rows) >= FEWEST_ROWS):
            return int((rows != 0).any(0).sum())
        if values.is_floating_point():
            return None
        numbers = rows.flatten().long()
        ignored = IGNORED if ignore_index is None else ignore_index
        return len(numbers[numbers != ignored].unique())


def _kind_of_whole_numbers(values: Tensor, output_shape: tuple[int, ...]) -> str:
    """Class numbers, or rows of numbers that the loss compares with outputs one by one."""
    if values.dim() < 2 or prod(values.shape[1:]) == 1:
        return CLASSES
    if output_shape:
        return NUMBERS if tuple(values.shape) == tuple(output_shape) else CLASSES
    rows = rows_of(values) if values.dim() == 2 and len(values) >= FEWEST_ROWS else None
    return NUMBERS if rows is not None and _is_one_hot(rows) else CLASSES


def _is_one_hot(rows: Tensor) -> bool:
    if rows.shape[1] < 2 or not len(rows):
        return False
    return bool(((rows == 0) | (rows == 1)).all()) and bool((rows.sum(1) == 1).all())


def _width(shape: tuple[int, ...], output_shape: tuple[int, ...]) -> int | None:
    """Outputs for each class number; None where the shapes do not show it."""
    outputs = tuple(output_shape)
    if outputs == shape or (len(outputs) == 1 and outputs[0] == prod(shape)):
        return 1
    if len(outputs) < 2:
        return None
    if (outputs[0], *outputs[2:]) == shape:
        return outputs[1]
    if prod(outputs[:-1]) == prod(shape):
        return outputs[-1]
    return None


def _binary_entropy(share: Tensor) -> Tensor:
    return -torch.xlogy(share, share) - torch.xlogy(1 - share, 1 - share)


def _of_classes(classes: int) -> dict[str, Any]:
    return {"class_targets": True, "classes": classes, "task": CLASSIFICATION}


def _of_numbers(low: float, high: float, mean: float, std: float) -> dict[str, Any]:
    return {
        "class_targets": False,
        "task": REGRESSION,
        "target_low": low,
        "target_high": high,
        "target_mean": mean,
        "target_std": std,
    }
