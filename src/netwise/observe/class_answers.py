"""How often each class was asked for, answered, and answered rightly; R² of numbers."""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from torch import Tensor

from netwise.observe.tensor_samples import plain
from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    HUBER,
    SQUARED_ERROR,
)

MOST_CLASSES = 64
MOST_SCORES = 1 << 22  # numbers of a batch of outputs; larger ones are not counted
RECENT = 16  # watched batches of training that count
# Batches that are copied and counted together, which takes less time, and numbers of one of them.
MOST_WAITING, MOST_WAITING_NUMBERS = 16, 4096
LIMITS = {BINARY_CROSS_ENTROPY: 0.5, BINARY_CROSS_ENTROPY_OF_LOGITS: 0.0}  # of a yes
OF_NUMBERS = (SQUARED_ERROR, ABSOLUTE_ERROR, HUBER)
Answers = tuple[tuple[int, int, int], ...]  # for each class: asked for, answered, rightly


class ClassAnswers:
    """Answers of the latest batches.

    Args:
        most: batches that count; None: all since `clear`.

    Example:
        >>> import torch
        >>> answers = ClassAnswers()
        >>> outputs = torch.tensor([[2.0, 1.0], [3.0, 0.0], [5.0, 0.0]])
        >>> answers.add(outputs, torch.tensor([0, 0, 1]), "cross entropy")
        >>> answers.total()
        ((2, 3, 2), (1, 0, 0))
    """

    def __init__(self, most: int | None = None) -> None:
        self._parts: deque[Tensor] = deque(maxlen=most)
        self._numbers: deque[Tensor] = deque(maxlen=most)
        self._most = most
        # Scores, targets, operations and ignored numbers of batches that are not counted yet.
        self._waiting: list[tuple[Tensor, Tensor, str, int | None]] = []

    def add(
        self, output: Tensor, target: Tensor, operation: str, ignore_index: int | None = None
    ) -> None:
        """Count a batch; without effect where outputs are no scores of classes.

        Args:
            output: scores (samples, classes, ...), or one number for each target that is 0 or 1.
            target: class numbers (samples, ...), or zeros and ones.
            operation: of the loss that compares both.
            ignore_index: the class number that does not count.
        """
        scores, wanted = plain(output), plain(target)
        if scores is None or wanted is None or not 0 < scores.numel() <= MOST_SCORES:
            return
        with torch._C.DisableTorchFunction():
            if operation in OF_NUMBERS:
                self._add_numbers(scores, wanted)
                return
            if scores.is_cpu and wanted.is_cpu and scores.numel() <= MOST_WAITING_NUMBERS:
                copies = scores.clone(), wanted.clone()
                self._waiting.append((*copies, operation, ignore_index))
                if len(self._waiting) >= MOST_WAITING:
                    self._count_waiting()
                return
            self._count_waiting()
            self._count_batch(scores, wanted, operation, ignore_index)

    def _count_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            self._count_batch(*each)

    def _count_batch(
        self, scores: Tensor, wanted: Tensor, operation: str, ignore_index: int | None
    ) -> None:
        pair = _numbers(scores, wanted, operation)
        if pair is None:
            return
        both = torch.stack(pair).cpu().numpy()  # one transfer
        used = both[1] >= 0
        if ignore_index is not None:
            used &= both[1] != ignore_index
        both = both[:, used]
        if both.size and both.max() < MOST_CLASSES:
            self._count(both[0], both[1])

    def add_numbers(self, answered: Tensor, asked: Tensor) -> None:
        """Count class numbers, or yes and no, that a program compares by hand.

        >>> answers = ClassAnswers()
        >>> answers.add_numbers(torch.tensor([1, 1]), torch.tensor([1, 0]))
        >>> answers.total()
        ((1, 0, 0), (1, 2, 1))
        """
        one, other = plain(answered), plain(asked)
        if one is None or other is None or one.shape != other.shape or not one.numel():
            return
        with torch._C.DisableTorchFunction():
            pair = torch.stack([one.reshape(-1).double(), other.reshape(-1).double()])
            both = pair.cpu().numpy()
            if (both != both.round()).any() or both.min() < 0 or both.max() >= MOST_CLASSES:
                return
            self._count_waiting()
            self._count(both[0].astype(int), both[1].astype(int))

    def _count(self, answered: np.ndarray, asked: np.ndarray) -> None:
        right = asked[asked == answered]
        counts = [np.bincount(t, minlength=MOST_CLASSES) for t in (asked, answered, right)]
        self._append(torch.from_numpy(np.stack(counts, 1)), self._parts)

    def _add_numbers(self, output: Tensor, target: Tensor) -> None:
        if output.shape != target.shape or not target.is_floating_point() or not target.dim():
            return
        if self._numbers and self._numbers[0].shape[1] != target[0].numel():
            return
        asked = target.reshape(len(target), -1).double()
        error = output.reshape(len(output), -1).double() - asked
        count = torch.full_like(asked[0], len(asked))
        sums = (count, asked.sum(0), asked.square().sum(0), error.square().sum(0))
        self._append(torch.stack(sums).cpu(), self._numbers)

    def _append(self, counts: Tensor, parts: deque[Tensor]) -> None:
        if self._most is None and parts:
            parts[0] = parts[0] + counts
        else:
            parts.append(counts)

    @property
    def r2(self) -> float | None:
        """The mean R² of the columns of numbers; None without any that vary.

        >>> answers = ClassAnswers()
        >>> target = torch.tensor([[0.0], [2.0]])
        >>> answers.add(target + 0.5, target, "squared error")
        >>> answers.r2
        0.75
        """
        if not self._numbers:
            return None
        count, total, squares, errors = torch.stack(tuple(self._numbers)).sum(0)
        spread = squares - total.square() / count
        varying = spread > 1e-9 * squares
        if not bool(varying.any()):
            return None
        return float((1 - errors[varying] / spread[varying]).mean())

    def clear(self) -> None:
        """Forget all."""
        self._waiting = []
        self._parts.clear()
        self._numbers.clear()

    def total(self) -> Answers:
        """For each class how often it was asked for, answered, and answered rightly; () without
        any."""
        self._count_waiting()
        if not self._parts:
            return ()
        total = torch.stack(tuple(self._parts)).sum(0)
        width = int(total.sum(1).nonzero().max()) + 1
        return tuple((row[0], row[1], row[2]) for row in total[: max(2, width)].tolist())


def _numbers(scores: Tensor, wanted: Tensor, operation: str) -> tuple[Tensor, Tensor] | None:
    """Class numbers that were answered and asked for; None where there are none."""
    if operation == CROSS_ENTROPY:
        if scores.dim() < 2 or scores.shape[:1] != wanted.shape[:1]:
            return None
        if wanted.is_floating_point():
            if wanted.shape != scores.shape:
                return None
            wanted = wanted.argmax(1)
        answered = scores.argmax(1)
        if answered.numel() != wanted.numel():
            return None
        return answered.reshape(-1), wanted.reshape(-1).long()
    limit = LIMITS.get(operation)
    if limit is None or scores.numel() != wanted.numel():
        return None
    is_column = scores.dim() < 2 or scores.shape[1] == 1 or scores.dim() > 2
    if not is_column or not bool(((wanted == 0) | (wanted == 1)).all()):
        return None
    return (scores.reshape(-1) > limit).long(), wanted.reshape(-1).long()
