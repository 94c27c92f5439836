"""Targets and advantages with a gradient, and losses that look like them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.undetached import ADVANTAGE, TARGET, undetached

torch.manual_seed(0)
NOW, LATER, A = torch.randn(6, 3), torch.randn(6, 3), torch.randint(2, (6, 1))
Q = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
COPY = nn.Linear(3, 2)
CRITIC = nn.Linear(3, 1)
R = torch.randn(6)


def picked(q: Tensor) -> Tensor:
    return q.gather(1, A)[:, 0]


def best(q: Tensor) -> Tensor:
    return q.max(1).values


def log_prob() -> Tensor:
    return torch.distributions.Categorical(logits=Q(NOW)).log_prob(A[:, 0])


def value() -> Tensor:
    out: Tensor = CRITIC(NOW)
    return out.squeeze(-1)


LOSSES: list[tuple[Callable[[], Tensor], str]] = [
    (lambda: (picked(Q(NOW)) - (R + 0.9 * best(Q(LATER)))).pow(2).mean(), TARGET),
    (lambda: F.smooth_l1_loss(picked(Q(NOW)), R + 0.9 * best(Q(LATER))), TARGET),
    (lambda: F.mse_loss(R + 0.9 * best(Q(LATER)), picked(Q(NOW))), TARGET),
    (lambda: F.mse_loss(picked(Q(NOW)), R + 0.9 * best(Q(LATER)).detach()), ""),
    (lambda: F.mse_loss(picked(Q(NOW)), R + 0.9 * best(COPY(LATER))), ""),  # another network
    (lambda: F.mse_loss(picked(Q(NOW)), R), ""),
    (lambda: (1 + best(q := Q(NOW)) - picked(q)).clamp(min=0).mean(), ""),  # a hinge of classes
    (lambda: -(log_prob() * (R - value())).mean(), ADVANTAGE),
    (lambda: -(log_prob() * (R - value())).mean() + (R - value()).pow(2).mean(), ADVANTAGE),
    (lambda: -(log_prob() * (R - value()).detach()).mean() + (R - value()).pow(2).mean(), ""),
    (lambda: -(log_prob() * R).mean(), ""),
    (lambda: (log_prob().exp() * log_prob()).mean(), ""),
    (lambda: ((1 - log_prob().exp()) ** 2 * -log_prob()).mean(), ""),  # focal
    (lambda: (-log_prob() * torch.exp(-value()) + value()).mean(), ""),  # learned weights
    (lambda: F.cross_entropy(Q(NOW), A[:, 0]), ""),
]


@pytest.mark.parametrize(("loss", "found"), LOSSES)
def test_what_has_a_gradient_and_should_be_a_number(loss: Callable[[], Tensor], found: str) -> None:
    assert undetached(loss().grad_fn) == found
