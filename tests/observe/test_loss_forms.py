"""Losses by hand are recognised, and other formulas are not taken for them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.loss_forms import hinge_parts, is_written_softmax, pair_parts, picked_below
from netwise.observe.loss_graph import read_loss
from netwise.wiring import CROSS_ENTROPY, HINGE, LOGARITHM

torch.manual_seed(0)
OUT: Tensor = nn.Linear(4, 3)(torch.randn(6, 4))
SIGNS = torch.tensor([1.0, -1.0, 1.0]).expand(6, 3)
CLASSES = torch.arange(6) % 3
LOGS = OUT.log_softmax(1).gather(1, CLASSES[:, None])


@pytest.mark.parametrize(
    "loss",
    [
        (1 - SIGNS * OUT).clamp(min=0),
        torch.relu(1 - OUT * SIGNS),
        torch.maximum(torch.zeros(()), 1 - SIGNS * OUT),
        (torch.ones(()) - SIGNS * OUT).clamp_min(0),
    ],
)
def test_a_hinge(loss: Tensor) -> None:
    parts = hinge_parts(loss.grad_fn)
    assert parts is not None
    assert parts[0] is OUT.grad_fn
    assert torch.equal(parts[1], SIGNS)
    assert read_loss(loss.mean()).terms[0].term.operation == HINGE


@pytest.mark.parametrize(
    "loss",
    [
        torch.relu(OUT),
        torch.relu(1 - OUT),  # of a GAN
        torch.relu(1 - torch.rand(6, 3) * OUT),  # weights
        torch.relu(OUT - OUT.mean()),
        (1 + SIGNS * OUT).clamp(min=0),
    ],
)
def test_no_hinge(loss: Tensor) -> None:
    assert hinge_parts(loss.grad_fn) is None


def test_the_square_of_a_hinge_is_one() -> None:
    term = read_loss(((1 - SIGNS * OUT).clamp(min=0) ** 2).mean()).terms[0].term
    assert (term.operation, term.target_low, term.target_high) == (HINGE, -1, 1)


def test_pairs_that_are_alike_or_not() -> None:
    other, zeros = torch.randn(6, 3), torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    for target, low in ((zeros, 0), (2 * zeros - 1, -1)):
        loss = F.cosine_embedding_loss(OUT, other, target, margin=0.2)
        term = read_loss(loss).terms[0].term
        assert (term.operation, term.target_low, term.target_high) == (HINGE, low, 1)
    halves = torch.where(zeros > 0, OUT[:, 0], 0) + torch.where(zeros == 0, OUT[:, 1], 0)
    assert pair_parts(halves.grad_fn) is None


def test_a_softmax_that_is_written_out() -> None:
    e = OUT.exp()
    again = OUT.exp()
    assert is_written_softmax((e / e.sum(1, keepdim=True)).grad_fn)
    assert is_written_softmax((e / again.sum(1, keepdim=True)).grad_fn)
    assert not is_written_softmax((e / (OUT + 1).sum(1, keepdim=True)).grad_fn)
    assert not is_written_softmax((e / 3).grad_fn)
    assert not is_written_softmax((OUT / e.sum(1, keepdim=True)).grad_fn)
    loss = -(e / e.sum(1, keepdim=True)).gather(1, CLASSES[:, None]).log().mean()
    term = read_loss(loss).terms[0].term
    assert (term.operation, term.chain) == (CROSS_ENTROPY, ("Log", "Softmax", "Addmm"))


def test_a_focal_loss_is_one_of_classes() -> None:
    loss = (-((1 - LOGS.exp()) ** 2) * LOGS).mean()
    assert picked_below(loss.grad_fn) is LOGS.grad_fn
    reading = read_loss(loss).terms[0]
    assert (reading.term.operation, reading.weighted) == (CROSS_ENTROPY, True)
    assert reading.target is not None
    assert torch.equal(reading.target, CLASSES)


def test_policy_gradients_are_no_loss_of_classes() -> None:
    ratio = (LOGS - LOGS.detach()).exp()
    advantage = torch.tensor([[1.0], [-1.0], [0.5], [-0.5], [2.0], [-2.0]])
    clipped = torch.min(ratio * advantage.abs(), ratio.clamp(0.8, 1.2) * advantage.abs())
    assert read_loss(-clipped.mean()).terms[0].term.operation == ""
    weighted = torch.min(LOGS * advantage, 2 * LOGS * advantage)
    assert picked_below(weighted.grad_fn) is None


def test_other_functions_have_no_right_class() -> None:
    assert picked_below((OUT.sigmoid() * OUT).grad_fn) is None
    assert picked_below((LOGS * OUT.log_softmax(1)).grad_fn) is None
    assert read_loss(-OUT.log().mean()).terms[0].term.operation in ("", LOGARITHM)
    assert F.relu(OUT).grad_fn is not None
