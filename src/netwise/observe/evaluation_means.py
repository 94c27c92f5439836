"""Means of losses and accuracies over the batches of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from netwise.wiring import BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS, CROSS_ENTROPY

# Outputs above these answer yes.
BINARY: Mapping[str, float] = {BINARY_CROSS_ENTROPY: 0.5, BINARY_CROSS_ENTROPY_OF_LOGITS: 0.0}
# Two operations that compute one quantity.
SAME = {BINARY_CROSS_ENTROPY_OF_LOGITS: BINARY_CROSS_ENTROPY}
MOST_SCORES = 4_194_304  # scores of a batch, above which accuracy is not computed
ANSWERS = "answers"  # in the place of an operation: no loss, but an accuracy


@dataclass
class Mean:
    """A mean over the batches of a window. On a GPU the sums are tensors: nothing waits for it."""

    total: Any = 0.0
    elements: Any = 0.0
    rows: float = 0.0
    correct: Any = 0.0
    answers: Any = 0.0


def row_of(
    means: Mapping[tuple[str, str], Mean], trained_with: tuple[str, str], loss: str, accuracy: str
) -> dict[str, float]:
    """Loss and accuracy of one group of batches."""
    operation, reduction = trained_with
    losses = [key for key in means if key[0] != ANSWERS]
    alike = [key for key in losses if not (operation and key[0]) or _same(key[0], operation)]
    row: dict[str, float] = {}
    if alike:
        first = next((key for key in alike if key[1] == reduction), alike[0])
        mean = means[first]
        by_rows = first[1] in ("sum", "batchmean") and reduction != "mean"
        divisor = mean.rows if by_rows else mean.elements
        if float(divisor) > 0:
            row[loss] = float(mean.total) / float(divisor)
    for mean in (means[key] for key in sorted(means, key=lambda key: key[0] == ANSWERS)):
        if float(mean.answers) > 0:
            row[accuracy] = float(mean.correct) / float(mean.answers)
            break
    return row


def _same(one: str, other: str) -> bool:
    return SAME.get(one, one) == SAME.get(other, other)


def total_of(value: Tensor, reduction: str, elements: Any, rows: int) -> Any:
    """The sum of a batch's losses."""
    if reduction == "none":
        total: Any = value.double().sum()
    elif reduction == "sum":
        total = value.double()
    elif isinstance(elements, Tensor):
        total = torch.where(elements > 0, value.double() * elements, 0.0)
    else:
        total = value.double() * (rows if reduction == "batchmean" else elements)
    return float(total) if value.device.type == "cpu" else total


def count_of(
    operation: str, output: Tensor, target: Tensor, kwargs: Mapping[str, Any]
) -> tuple[Any, Any, Any]:
    """Targets that count, correct answers, and answers; numbers, or tensors on a GPU."""
    if operation in BINARY:
        right, compared = _binary_answers(BINARY[operation], output, target)
        return float(output.numel()), right, compared
    if operation != CROSS_ENTROPY:
        return float(output.numel()), 0.0, 0.0
    classes = output.shape[1] if output.dim() > 1 else len(output)
    if target.is_floating_point():
        return output.numel() / classes, 0.0, 0.0
    used = target != kwargs.get("ignore_index", -100)
    counted: Any = used.sum()
    correct: Any = 0.0
    answers: Any = 0.0
    if output.dim() > 1 and output.numel() <= MOST_SCORES:
        correct, answers = ((output.argmax(1) == target) & used).sum(), counted
    if output.device.type == "cpu":
        return float(counted), float(correct), float(answers)
    return counted, correct, answers


def _binary_answers(limit: float, output: Tensor, target: Tensor) -> tuple[Any, Any]:
    """Correct answers and answers of one output for each sample to yes or no; none where targets
    are no certainties, or where a sample has several."""
    if output.shape != target.shape or output.numel() != len(target) or len(target) > MOST_SCORES:
        return 0.0, 0.0
    yes = target > 0.5
    certain = (target == yes).all()
    correct, answers = ((output > limit) == yes).sum() * certain, certain * len(target)
    if output.device.type == "cpu":
        return float(correct), float(answers)
    return correct, answers
