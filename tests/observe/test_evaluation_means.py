"""Which of several means of an evaluation is its loss, and which its accuracy."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from netwise.observe.evaluation_means import ANSWERS, Mean, count_of, row_of, total_of
from netwise.wiring import BINARY_CROSS_ENTROPY, CROSS_ENTROPY, SQUARED_ERROR

LOSS, ACCURACY = "valid.loss", "valid.accuracy"


def test_the_loss_is_of_the_kind_of_training_and_answers_are_none() -> None:
    means = {
        (ANSWERS, "mean"): Mean(0.0, 0.0, 4, 3.0, 4.0),
        (SQUARED_ERROR, "mean"): Mean(2.0, 4.0, 4),
        (CROSS_ENTROPY, "mean"): Mean(6.0, 4.0, 4, 1.0, 4.0),
    }
    assert row_of(means, (SQUARED_ERROR, "mean"), LOSS, ACCURACY) == {LOSS: 0.5, ACCURACY: 0.25}
    assert row_of(means, ("", ""), LOSS, ACCURACY)[LOSS] == 0.5
    del means[CROSS_ENTROPY, "mean"], means[SQUARED_ERROR, "mean"]
    assert row_of(means, ("", ""), LOSS, ACCURACY) == {ACCURACY: 0.75}
    assert row_of({}, ("", ""), LOSS, ACCURACY) == {}


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_the_sum_of_a_batch_is_the_same_for_each_reduction(reduction: str) -> None:
    output, target = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    value = F.cross_entropy(output, target, reduction=reduction)
    expected = F.cross_entropy(output, target, reduction="sum").item()
    assert total_of(value, reduction, 6.0, 6) == pytest.approx(expected)


def test_answers_are_counted_where_targets_are_certain() -> None:
    output, target = torch.tensor([0.9, 0.2, 0.6, 0.1]), torch.tensor([1.0, 0.0, 0.0, 0.0])
    assert count_of(BINARY_CROSS_ENTROPY, output, target, {}) == (4, 3, 4)
    assert count_of(BINARY_CROSS_ENTROPY, output, target * 0.9, {}) == (4, 0, 0)
    assert count_of(SQUARED_ERROR, output, target, {}) == (4, 0, 0)
    ignored = torch.tensor([0, -100])
    assert count_of(CROSS_ENTROPY, torch.eye(2), ignored, {}) == (1, 1, 1)
