"""Losses of overlap with masks: what is one, its sign, its outputs and masks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.loss_graph import read_loss
from netwise.observe.overlap_losses import overlap_of
from netwise.wiring import OVERLAP

X = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
MASK = (torch.randn(4, 5, generator=torch.Generator().manual_seed(1)) > 0).float()


def outputs() -> Tensor:
    torch.manual_seed(0)
    return nn.Linear(3, 5)(X)


def dice(p: Tensor, t: Tensor) -> Tensor:
    return 2 * (p * t).sum() / (p.sum() + t.sum() + 1e-6)


def dice_of_rows(p: Tensor, t: Tensor) -> Tensor:
    return ((2 * (t * p).sum(1) + 1) / (p.square().sum(1) + t.sum(1) + 1)).mean()


def jaccard(p: Tensor, t: Tensor) -> Tensor:
    both = (p.flatten() * t.flatten()).sum()
    return both / (p.sum() + t.sum() - both)


def tversky(p: Tensor, t: Tensor) -> Tensor:
    both, more, less = (p * t).sum(), ((1 - t) * p).sum(), (t * (1 - p)).sum()
    return (both + 1) / (both + 0.3 * more + 0.7 * less + 1)


@pytest.mark.parametrize("score", [dice, dice_of_rows, jaccard, tversky])
@pytest.mark.parametrize("activated", [True, False])
def test_scores_of_overlap_are_recognised(score: object, activated: bool) -> None:
    assert callable(score)
    p = outputs().sigmoid() if activated else outputs()
    reading = read_loss(1 - score(p, MASK))
    (term,) = (each.term for each in reading.terms)
    assert (term.operation, reading.factor) == (OVERLAP, 1)
    assert term.chain == (("Sigmoid", "Addmm") if activated else ("Addmm",))
    assert (term.target_low, term.target_high) == (0, 1)
    assert (term.output_low, term.output_high) == ((0, 1) if activated else (None, None))
    assert read_loss(score(p, MASK)).factor == -1
    assert read_loss(-3 * score(p, MASK)).factor == 3
    found = overlap_of((1 - score(p, 255 * MASK)).grad_fn)
    assert found is not None
    assert found[0].target_high == 255


def test_other_quotients_are_no_overlap() -> None:
    p, w = outputs(), outputs().exp()
    others = [
        ((p - MASK).square() * MASK).sum() / MASK.sum(),  # a mean over a mask
        1 - (p * MASK).sum() / (p.norm() * MASK.norm()),  # a cosine
        (p * MASK).sum() / p.detach().sum(),
        (p * MASK * 2.0 * MASK).sum() / p.sum(),  # two factors: which one is the mask?
        (w * (MASK - 0.5)).sum() / w.sum(),  # negative numbers are no mask
        p.sum() / w.sum(),
    ]
    assert [overlap_of(loss.grad_fn) for loss in others] == [None] * len(others)


def test_an_overlap_beside_another_loss() -> None:
    p = outputs().sigmoid()
    reading = read_loss(nn.functional.binary_cross_entropy(p, MASK) + 1 - dice(p, MASK))
    assert [each.term.operation for each in reading.terms] == ["binary cross entropy", OVERLAP]
    assert reading.factor == 1
