"""Errors times a factor that the network gives itself, with and without a price for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.free_scale import free_scale

torch.manual_seed(0)
X, Y = torch.randn(8, 3), torch.randn(8, 1)
MEAN, SCALE, BOTH = nn.Linear(3, 1), nn.Linear(3, 1), nn.Linear(3, 2)
WEIGHT = nn.Parameter(torch.zeros(1))


def errors() -> Tensor:
    return (MEAN(X) - Y) ** 2


def log_variance(priced: bool) -> Tensor:
    scale = SCALE(X)
    return errors() * torch.exp(-scale) + (scale if priced else 0.0)


def variance(priced: bool) -> Tensor:
    spread = F.softplus(SCALE(X)) + 1e-6
    return errors() / (2 * spread) + (0.5 * spread.log() if priced else 0.0)


def one_layer(priced: bool) -> Tensor:
    mean, scale = BOTH(X).chunk(2, 1)
    return (mean - Y).abs() * torch.exp(-scale) + (scale if priced else 0.0)


def parts(priced: bool) -> Tensor:
    mean, scale = BOTH(X).split([1, 1], 1)
    return (mean - Y) ** 2 / torch.exp(scale) + (BOTH(X).unbind(1)[1][:, None] if priced else 0.0)


def columns(priced: bool) -> Tensor:
    out = BOTH(X)
    return (out[:, 0] - Y[:, 0]) ** 2 * torch.exp(out[:, 1]) - (out[:, 1] if priced else 0.0)


def confidence(priced: bool) -> Tensor:
    sure = torch.sigmoid(SCALE(X))
    losses = sure * F.smooth_l1_loss(MEAN(X), Y, reduction="none")
    return losses - (0.1 * sure.log() if priced else 0.0)


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        (log_variance, "Exp"),
        (variance, "Softplus"),
        (one_layer, "Exp"),
        (columns, "Exp"),
        (parts, "Exp"),
        (confidence, "Sigmoid"),
    ],
)
def test_a_factor_is_free_without_a_price(loss: Callable[[bool], Tensor], found: str) -> None:
    assert free_scale(loss(False).mean().grad_fn) == found
    assert free_scale(loss(True).mean().grad_fn) == ""


OTHERS: list[Callable[[], Tensor]] = [
    errors,
    lambda: F.gaussian_nll_loss(MEAN(X), Y, F.softplus(SCALE(X))),
    lambda: -torch.distributions.Normal(MEAN(X), F.softplus(SCALE(X))).log_prob(Y),
    lambda: torch.softmax(BOTH(X), 1) * torch.cat([errors(), (SCALE(X) - Y) ** 2], 1),
    lambda: (MEAN(X) * torch.exp(SCALE(X)) - Y) ** 2,  # a scale of the answer
    lambda: errors() * torch.exp(-SCALE(X)).detach(),
    lambda: errors() * torch.exp(-WEIGHT),  # weights of their own may be trained against the rest
    lambda: errors() * torch.rand(8, 1),
    lambda: errors() * torch.exp(-SCALE(X)) + SCALE(X),  # two calls of one layer
    lambda: errors() * torch.exp(-BOTH(X)[:, 1:]) + BOTH(X)[:, -1:],
    lambda: errors() * torch.exp(-BOTH(X)[:, 1:]) + BOTH(X).mean(1, keepdim=True),
    lambda: F.normalize(BOTH(X)) - 1,
]


@pytest.mark.parametrize("number", range(len(OTHERS)))
def test_other_losses(number: int) -> None:
    assert free_scale(OTHERS[number]().mean().grad_fn) == ""
