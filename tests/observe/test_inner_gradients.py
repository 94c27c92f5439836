"""Gradients with a graph of their own, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from netwise.observe.inner_gradients import TIMES_ZERO, UNUSED, InnerGradients

ZERO = torch.zeros(3)


def steps(loss_of: Callable[[Tensor, Tensor, Tensor], Tensor], count: int = 6) -> tuple[str, ...]:
    """What is said of steps whose loss is computed of a weight, its gradient and the loss that it
    is the gradient of."""
    inner = InnerGradients()
    for _ in range(count):
        weight = torch.ones(3, requires_grad=True)
        first = (weight**3).sum()
        (slope,) = torch.autograd.grad(first, (weight,), create_graph=True)
        inner.taken(first, (slope,), "meta.py:3")
        inner.backward(loss_of(weight, slope, first))
        inner.step_ends()
    return inner.idle


@pytest.mark.parametrize(
    ("loss_of", "what"),
    [
        (lambda w, g, _: (w - 0.0 * g).sum(), TIMES_ZERO),
        (lambda w, g, _: (w - ZERO * g).sum(), TIMES_ZERO),
        (lambda w, g, _: w.sub(g, alpha=0.0).sum(), TIMES_ZERO),
        (lambda w, g, _: (w**2).sum(), UNUSED),
    ],
)
def test_gradients_without_effect(loss_of: Callable[..., Tensor], what: str) -> None:
    assert steps(loss_of) == (f"meta.py:3: {what}",)
    assert steps(loss_of, 3) == ()  # too few


@pytest.mark.parametrize(
    "loss_of",
    [
        lambda w, g, _: (w - 0.1 * g).sum(),
        lambda w, g, _: (w - torch.zeros(3, requires_grad=True) * g).sum(),  # a learned rate
        lambda w, g, _: (g**2).sum(),
        lambda w, g, _: (w - 0.1 * g.detach()).sum(),  # of the first order
        lambda w, g, first: first + 0.0 * w.sum(),  # of a loss that is written down beside it
    ],
)
def test_gradients_that_are_used(loss_of: Callable[..., Tensor]) -> None:
    assert steps(loss_of) == ()


def test_calls_of_single_steps_are_no_part_of_the_training_step() -> None:
    inner = InnerGradients()
    for number in range(20):
        if number % 3 == 0:
            weight = torch.ones(3, requires_grad=True)
            first = (weight**3).sum()
            (slope,) = torch.autograd.grad(first, (weight,), create_graph=True)
            inner.taken(first, (slope,), "evaluate.py:3")
        inner.step_ends()
    assert inner.idle == ()
