"""Second derivatives that are 0 are seen, and those of smooth functions are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.loss_graph import read_loss
from netwise.observe.second_derivatives import zero_derivative


def residual(activation: nn.Module, order: int = 2) -> Tensor:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 8), activation, nn.Linear(8, 8), activation)
    model.append(nn.Linear(8, 1))
    x = torch.rand(16, 1, requires_grad=True)
    value = model(x)
    for _ in range(order):
        value = torch.autograd.grad(value.sum(), x, create_graph=True)[0]
    return (value + torch.sin(x)).square().mean()


@pytest.mark.parametrize(
    ("activation", "found"),
    [(nn.ReLU(), "Relu"), (nn.LeakyReLU(), "LeakyRelu"), (nn.Tanh(), ""), (nn.SiLU(), "")],
)
def test_the_second_derivative(activation: nn.Module, found: str) -> None:
    assert zero_derivative(residual(activation).grad_fn) == found


def test_a_slope_alone_is_healthy() -> None:
    """As in the penalty on the gradient of a critic."""
    assert zero_derivative(residual(nn.ReLU(), order=1).grad_fn) == ""


def test_a_summand_shows_it() -> None:
    penalty = nn.Linear(3, 1)(torch.ones(4, 3)).square().mean()
    terms = read_loss(residual(nn.ReLU()) + 10 * penalty).terms
    assert [reading.term.zero_derivative for reading in terms] == ["Relu", ""]


@pytest.mark.parametrize("loss", [nn.functional.mse_loss, nn.functional.l1_loss])
def test_ordinary_losses_have_none(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    output = nn.Linear(3, 1)(torch.ones(4, 3)).relu()
    assert zero_derivative(loss(output, torch.ones(4, 1)).grad_fn) == ""
