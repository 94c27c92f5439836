"""Values of the parts of a loss are exact, and what has no gradient is the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise import signals
from netwise.observe.loss_graph import read_loss
from netwise.observe.loss_parts import share_explained

X, Y, T = torch.randn(12, 4), torch.arange(12) % 3, torch.randn(12, 3)
NET = nn.Linear(4, 3)
Loss = Callable[[Tensor], Tensor]


def parts(loss: Loss) -> dict[str, float]:
    return dict(read_loss(loss(NET(X))).parts)


@pytest.mark.parametrize(
    ("loss", "rest"),
    [
        (lambda o: F.mse_loss(o, T), 0.0),
        (lambda o: 3 * F.mse_loss(o, T) / 7 + F.cross_entropy(o, Y), 0.0),
        (lambda o: F.mse_loss(o, T, reduction="sum") / 12 + 0.25, 0.25),
        (lambda o: F.cross_entropy(o, Y) + 2.5 * F.mse_loss(o, T).detach(), None),
        (lambda o: (F.cross_entropy(o, Y) - 1.5) * 2, -3.0),
        (lambda o: F.mse_loss(o, T, reduction="none").sum(1).mean() + 0.5, 0.5),
        (lambda o: F.cross_entropy(o, Y, reduction="none").mean() - 2, -2.0),
        (lambda o: 2 * ((o - T) ** 2).sum(-1).mean() + 0.25, 0.25),
        (lambda o: ((T - o) ** 2).mean(1).sum() / 12 + F.cross_entropy(o, Y) + 0.5, 0.5),
        (lambda o: ((o - T).square().sum() / 36) * 3 + 1.0, 1.0),
    ],
)
def test_the_rest_of_known_parts(loss: Loss, rest: float | None) -> None:
    wanted = 2.5 * F.mse_loss(NET(X), T).item() if rest is None else rest
    assert parts(loss)[signals.LOSS_WITHOUT_GRADIENT] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    "loss",
    [
        lambda o: F.mse_loss(o, T) + o.abs().mean(),
        lambda o: F.mse_loss(o, T) + NET.weight.square().sum(),
        lambda o: (F.mse_loss(o, T) - 0.1).abs() + 0.1,
        lambda o: F.cross_entropy(o, Y, weight=torch.tensor([1.0, 2.0, 3.0])),
        lambda o: F.cross_entropy(o, Y, label_smoothing=0.1),
        lambda o: (F.mse_loss(o, T, reduction="none") * torch.rand(12, 3)).mean(),
        lambda o: ((o - T) ** 2).sum(1).sqrt().mean(),
        lambda o: ((o - T) ** 2)[:4].mean(),
    ],
)
def test_parts_that_are_not_known_leave_no_rest(loss: Loss) -> None:
    assert signals.LOSS_WITHOUT_GRADIENT not in parts(loss)


def test_the_part_with_targets_and_the_others() -> None:
    found = parts(lambda o: 0.5 * (2 * F.mse_loss(o, T) + 4 * o.abs().mean()))
    outputs = NET(X)
    assert found[signals.LOSS_OF_TARGETS] == pytest.approx(F.mse_loss(outputs, T).item(), rel=1e-5)
    others = 2 * outputs.abs().mean().item()
    assert found[signals.LOSS_OF_OTHERS] == pytest.approx(others, rel=1e-4)


def test_one_part_has_no_others() -> None:
    assert signals.LOSS_OF_TARGETS not in parts(lambda o: F.mse_loss(o, T))


def test_r2_of_a_batch() -> None:
    mean = T.mean(0).expand(12, 3)
    assert share_explained(mean, T) == pytest.approx(0.0, abs=1e-6)
    assert share_explained(T[:, :1], T) is None
    assert share_explained(torch.zeros(3), torch.ones(3)) is None
