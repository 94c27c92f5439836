"""Limits of outputs, kinds of targets, and the part of the targets that is out of reach."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.loss_graph import read_loss
from netwise.observe.loss_ranges import joined, kind_of_targets, limits_of, unreachable
from netwise.wiring import CLASS_NUMBERS, LABELS, NUMBERS, ONE_HOT, SIGN_TARGETS, LossTerm

torch.manual_seed(0)
OUT: Tensor = nn.Linear(4, 3)(torch.randn(6, 4))
Y = torch.arange(6) % 3


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        (OUT.sigmoid(), (0, 1)),
        (OUT.tanh() * 3, (-3, 3)),
        (-OUT.softmax(1).view(3, 6) / 2, (-0.5, 0)),
        (F.relu(OUT)[:3], (0, math.inf)),
        (F.hardtanh(OUT, -2, 4), (-2, 4)),
        (F.relu6(OUT), (0, 6)),
        (OUT, None),
        (OUT.sigmoid() + 1, None),  # the graph does not show by how much
        (OUT.sigmoid() * torch.rand(3), None),
        (F.gelu(OUT), None),
    ],
)
def test_limits(values: Tensor, limits: tuple[float, float] | None) -> None:
    assert limits_of(values.grad_fn) == limits


def test_targets_out_of_reach_are_a_share_of_the_variance() -> None:
    target = torch.tensor([-2.0, -1.0, 1.0, 2.0])
    lost = ((target - target.clamp(0, 1)) ** 2).mean() / target.var(unbiased=False)
    assert unreachable(target, 0.0, 1.0) == pytest.approx(float(lost))
    assert unreachable(target, -2.0, 2.0) == 0
    assert unreachable(torch.ones(4), 2.0, 3.0) == 0  # without any variance


@pytest.mark.parametrize(
    ("target", "shape", "kind"),
    [
        (Y, (6, 3), CLASS_NUMBERS),
        (F.one_hot(Y, 3).float(), (6, 3), ONE_HOT),
        (F.one_hot(Y, 3), (6, 3), ONE_HOT),
        ((torch.arange(18) % 2).view(6, 3).float(), (6, 3), LABELS),
        ((torch.arange(6) % 2)[:, None].float(), (6, 1), LABELS),
        (2.0 * (torch.arange(6) % 2) - 1, (6,), SIGN_TARGETS),
        (torch.randn(6), (6,), NUMBERS),
        (Y.float(), (6,), NUMBERS),
        (torch.zeros(0), (0,), ""),
    ],
)
def test_kinds_of_targets(target: Tensor, shape: tuple[int, ...], kind: str) -> None:
    assert kind_of_targets(target, shape) == kind


def test_a_loss_knows_limits_and_targets() -> None:
    term = read_loss(F.cross_entropy(OUT.tanh(), Y)).terms[0].term
    assert (term.output_low, term.output_high, term.target_kind) == (-1, 1, CLASS_NUMBERS)
    term = read_loss(F.mse_loss(F.relu(OUT), torch.randn(6, 3))).terms[0].term
    assert (term.output_low, term.output_high) == (0, None)
    assert term.unreachable is not None
    assert term.unreachable > 0.2
    p = OUT.softmax(1)
    term = read_loss(-(F.one_hot(Y, 3) * p.log()).sum(1).mean()).terms[0].term
    assert term.lowest == pytest.approx(float(p.detach().min()))


def test_several_batches_are_joined() -> None:
    first = LossTerm(
        "squared error", target_low=0.0, target_high=1.0, target_kind=LABELS, lowest=0.1
    )
    second = LossTerm("squared error", target_low=-1.0, target_high=0.5, target_kind=NUMBERS)
    both = joined(first, second)
    assert (both.target_low, both.target_high, both.target_kind) == (-1, 1, NUMBERS)
    assert both.lowest == 0.1
    assert joined(None, second) is second
    assert joined(LossTerm("Huber loss", target_low=-9.0), second) is second
    nothing = LossTerm("squared error", target_low=math.nan)
    assert joined(first, nothing).target_low == 0
