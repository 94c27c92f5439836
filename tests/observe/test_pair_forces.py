"""What a loss of distances draws together."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.pair_forces import PairForces, PairOrder

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def read(loss: Loss, like: float = 0.3, steps: int = 6, width: int = 5) -> PairOrder | None:
    """The order of pairs of a module that is called on a sample, one like it and another one."""
    torch.manual_seed(0)
    net, forces = nn.Linear(6, width), PairForces()
    for _ in range(steps):
        x = torch.randn(40, 6)
        samples = (x, x + like * torch.randn(40, 6), torch.randn(40, 6))
        outputs = [net(each) for each in samples]
        for each, output in zip(samples, outputs, strict=True):
            forces.called([each], [output])
        loss(*outputs).backward()
        forces.step()
    return forces.pairs


def contrastive(first: Tensor, second: Tensor, like: bool) -> Tensor:
    d = F.pairwise_distance(first, second)
    return d.square().mean() if like else (9 - d).clamp(min=0).square().mean()


@pytest.mark.parametrize(
    ("loss", "is_right"),
    [
        (lambda a, p, n: F.triplet_margin_loss(a, p, n, margin=9.0), True),
        (lambda a, p, n: F.triplet_margin_loss(a, n, p, margin=9.0), False),
        (lambda a, p, n: contrastive(a, p, True) + contrastive(p, n, False), True),
        (lambda a, p, n: contrastive(a, p, False) + contrastive(p, n, True), False),
    ],
)
def test_pairs(loss: Loss, is_right: bool) -> None:
    pairs = read(loss)
    assert pairs is not None
    assert pairs.nearer_inputs > 0.9 if is_right else pairs.nearer_inputs < 0.1


def test_a_loss_of_the_other_pairs_and_views_that_inputs_do_not_show() -> None:
    pairs = read(lambda a, p, n: F.triplet_margin_loss(a, p, n, margin=9.0), like=30.0)
    assert pairs is None or pairs.nearer_inputs < 0.5  # far by themselves
    assert read(lambda a, p, n: F.mse_loss(a, torch.zeros_like(a)) + n.square().mean()) is None
    assert read(lambda a, p, n: F.triplet_margin_loss(a, p, n), steps=1) is None  # few


def test_a_module_that_is_called_once() -> None:
    net, forces = nn.Linear(6, 5), PairForces()
    for _ in range(5):
        x = torch.randn(40, 6)
        output = net(x)
        forces.called([x], [output])
        output.square().mean().backward()
        forces.step()
    assert forces.pairs is None
    assert forces._calls == []
