"""Backward passes of functions, compared with differences of their forward passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import Function

from netwise.observe.own_backward import OwnBackward, own_backward
from netwise.observe.undisturbed import undisturbed


def function(forward_pass: Callable[..., Tensor], backward_pass: Callable[..., Any]) -> Any:
    class Own(Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Tensor) -> Tensor:
            ctx.save_for_backward(*inputs)
            return forward_pass(*inputs)

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Any:
            return backward_pass(gradient, *ctx.saved_tensors)

    return Own


class Net(nn.Module):
    def __init__(self, between: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.last, self.between = nn.Linear(6, 9), nn.Linear(9, 3), between

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.between(self.first(x)))
        return y


def compared(between: Callable[[Tensor], Tensor]) -> OwnBackward | None:
    torch.manual_seed(0)
    net, x = Net(between), torch.randn(20, 6)
    with torch.no_grad(), undisturbed(net):
        return own_backward(net, lambda: [net(x)])


def softmax_slope(g: Tensor, x: Tensor) -> Tensor:
    s = x.softmax(-1)
    return s * (g - (g * s).sum(-1, keepdim=True))


@pytest.mark.parametrize(
    ("forward_pass", "backward_pass"),
    [
        (lambda x: x.clamp(min=0), lambda g, x: g * (x > 0)),
        (torch.sigmoid, lambda g, x: g * x.sigmoid() * (1 - x.sigmoid())),
        (lambda x: x.softmax(-1), softmax_slope),
        (lambda x: x.clamp(-0.1, 0.1), lambda g, x: g),  # straight through its limits
    ],
)
def test_derivatives(forward_pass: Callable[..., Any], backward_pass: Callable[..., Any]) -> None:
    answer = compared(function(forward_pass, backward_pass).apply)
    assert answer is not None
    assert answer.agreement == pytest.approx(1)


@pytest.mark.parametrize(
    ("forward_pass", "backward_pass", "agreement", "by_element"),
    [
        (lambda x: x.clamp(min=0), lambda g, x: g * (x < 0), 0, True),
        (lambda x: x.clamp(min=0), lambda g, x: -g * (x > 0), -1, True),
        (torch.tanh, lambda g, x: torch.zeros_like(g), 0, True),
        (lambda x: x.softmax(-1), lambda g, x: -softmax_slope(g, x), -1, False),
    ],
)
def test_others(
    forward_pass: Callable[..., Any],
    backward_pass: Callable[..., Any],
    agreement: float,
    by_element: bool,
) -> None:
    own = function(forward_pass, backward_pass)
    answer = compared(own.apply)
    assert answer == OwnBackward("Own", pytest.approx(agreement), by_element)
    assert own.forward.__qualname__.endswith("Own.forward")  # as before


@pytest.mark.parametrize(
    ("forward_pass", "backward_pass"),
    [
        (lambda x: x.round(), lambda g, x: g),
        (lambda x: (x * 8).round().clamp(-3, 3) / 8, lambda g, x: g),
        (torch.sign, lambda g, x: g * (x.abs() < 1)),
        (lambda x: x.view_as(x), lambda g, x: -g),  # a gradient that is reversed
    ],
)
def test_where_another_gradient_is_meant(
    forward_pass: Callable[..., Any], backward_pass: Callable[..., Any]
) -> None:
    assert compared(function(forward_pass, backward_pass).apply) is None


def test_weights_as_inputs_and_plain_functions() -> None:
    weight = torch.randn(9, 9)
    product = function(lambda x, w: x @ w, lambda g, x, w: (g @ w.t(), x.t() @ g))
    answer = compared(lambda x: product.apply(x, weight))  # type: ignore[no-any-return]
    assert answer == OwnBackward("Own", pytest.approx(1), False)
    assert compared(torch.tanh) is None
