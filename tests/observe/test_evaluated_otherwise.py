"""Targets of evaluation compared with those of training, and inputs that are drawn anew."""

from __future__ import annotations

import torch
from torch import Tensor

from netwise.observe.evaluated_otherwise import copies_inputs, drawn_anew, target_units
from netwise.observe.kept_batches import KeptBatch

X, Y = torch.randn(60, 4), torch.randn(60, 1)
CLASSES = torch.arange(60) % 3


def evaluated(x: Tensor, y: Tensor, block: int = 0) -> KeptBatch:
    return KeptBatch((x,), {}, y, training=False, block=block, rows=len(x))


def test_units_of_targets_that_are_numbers() -> None:
    units = target_units([KeptBatch((X,), {}, Y)], [evaluated(X, 100 * Y + 7)])
    assert units is not None
    assert abs(units[3] / units[1] - 100) < 1e-3
    assert target_units([KeptBatch((X,), {}, CLASSES)], [evaluated(X, CLASSES)]) is None
    assert target_units([KeptBatch((X,), {}, Y)], []) is None
    assert target_units([KeptBatch((X,), {}, Y)], [evaluated(X, Y.repeat(1, 2))]) is None


def test_targets_that_are_the_inputs() -> None:
    assert copies_inputs([KeptBatch((X,), {}, X)] * 2) is True
    assert copies_inputs([KeptBatch((X,), {}, X + 0.1)]) is False
    assert copies_inputs([KeptBatch((X,), {}, X), KeptBatch((X,), {}, X + 1)]) is None
    assert copies_inputs([KeptBatch((X,), {})]) is None


def test_evaluations_whose_inputs_are_new_each_time() -> None:
    noisy = [evaluated(X + torch.randn_like(X), CLASSES, block) for block in range(3)]
    assert drawn_anew(noisy) is True
    assert drawn_anew(noisy[:2]) is None  # too few
    assert drawn_anew([evaluated(X, CLASSES, block) for block in range(3)]) is False
    other = [evaluated(torch.randn_like(X), CLASSES.roll(block), block) for block in range(3)]
    assert drawn_anew(other) is False  # new samples, with targets of their own
    denoised = [evaluated(X + torch.randn_like(X), X, block) for block in range(3)]
    assert drawn_anew(denoised) is None
