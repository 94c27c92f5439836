"""Skill: 0 for the best constant answer, 1 for perfect ones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.kept_batches import KeptBatch
from netwise.trials.measured import Measured, measured
from netwise.trials.rebuilt_loss import BITS, CLASSES, NUMBERS, RebuiltLoss

ENTROPY = RebuiltLoss("", F.cross_entropy, kind=CLASSES)
SQUARES = RebuiltLoss("", F.mse_loss, kind=NUMBERS)
LOGITS = RebuiltLoss("", F.binary_cross_entropy_with_logits, kind=BITS)


class Same(nn.Module):
    """Its input is the answer."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def of(outputs: Tensor, target: Tensor, loss: RebuiltLoss) -> Measured:
    halves = zip(outputs.split(4), target.split(4), strict=True)
    return measured(Same(), [KeptBatch((o,), {}, t) for o, t in halves], loss)


def test_classes() -> None:
    target = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
    right = 9.0 * F.one_hot(target, 3)
    assert of(right, target, ENTROPY).skill == 1
    constant = torch.tensor([[9.0, 0, 0]]).expand(8, 3)
    assert of(constant, target, ENTROPY).skill == 0
    half = torch.where(torch.arange(8)[:, None] < 6, right, constant)
    assert of(half, target, ENTROPY).skill == pytest.approx(0.5)
    assert of(half, target, ENTROPY).score == pytest.approx(0.75)


def test_bits_and_numbers() -> None:
    bits = torch.tensor([0.0, 0, 0, 1, 0, 0, 1, 1])
    assert of(2 * bits - 1, bits, LOGITS).skill == 1
    assert of(-torch.ones(8), bits, LOGITS).skill == 0
    y = torch.arange(8.0)
    assert of(y, y, SQUARES).skill == 1
    assert of(torch.full((8,), 3.5), y, SQUARES).skill == pytest.approx(0)
    assert of(-y, y, SQUARES).skill == -1  # a limit


def test_what_is_not_finite_is_worst() -> None:
    y = torch.arange(8.0)
    assert of(y * torch.inf, y, SQUARES) == Measured(
        torch.inf, -1.0, 0.0, pytest.approx(torch.nan, nan_ok=True)
    )


def test_a_difference_must_exceed_chance() -> None:
    low, high = Measured(skill=0.2, error=0.01), Measured(skill=0.5, error=0.01)
    assert high.exceeds(low, 0.1)
    assert not high.exceeds(low, 0.4)
    assert not Measured(skill=0.5, error=0.2).exceeds(low, 0.1)
    assert not Measured().exceeds(low, 0.1)
