"""Tensors that are used as weights, and those that are inputs or are changed by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import netwise as nw
from netwise.observe.outside_tensors import OutsideTensors

X = torch.rand(20, 4, generator=torch.Generator().manual_seed(0))
STEPS = 12


def shapes(
    program: Callable[[nn.Module, Tensor], Tensor],
    plain: Tensor,
    after: Callable[[Tensor], object] = lambda t: None,
    held: bool = False,
) -> tuple[str, ...]:
    """What is known of a network and a tensor that requires gradients.

    Args:
        program: gives the loss of both.
        plain: the tensor.
        after: is called with it after each step.
        held: whether the optimizer has it.
    """
    net = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 3))
    plain = plain.requires_grad_()
    optimizer = torch.optim.SGD([*net.parameters(), *([plain] if held else [])], lr=0.01)
    with nw.watch() as watched:
        for _ in range(STEPS):
            optimizer.zero_grad()
            program(net, plain).backward()
            optimizer.step()
            after(plain)
    wiring = watched.history().wiring
    assert wiring is not None
    return wiring.outside_tensors


def multiplied(net: nn.Module, weight: Tensor) -> Tensor:
    return (net(X) @ weight).square().mean()


def scaled(net: nn.Module, scale: Tensor) -> Tensor:
    return (net(X) * scale).square().mean()


def as_inputs(net: nn.Module, x: Tensor) -> Tensor:
    return net(x).square().mean()


def test_tensors_that_are_used_as_weights() -> None:
    assert shapes(multiplied, torch.ones(3, 2)) == ("(3, 2)",)
    assert shapes(scaled, torch.ones(3)) == ("(3,)",)


@pytest.mark.parametrize(
    ("program", "plain", "after", "held"),
    [
        (multiplied, torch.ones(3, 2), lambda t: None, True),
        (multiplied, torch.ones(3, 2), lambda t: t.data.sub_(0.01 * t.grad), False),
        (as_inputs, X.clone(), lambda t: None, False),
        (lambda net, x: net(x[:10]).square().mean(), X.clone(), lambda t: None, False),
        (lambda net, y: (net(X) - y).square().mean(), torch.rand(20, 3), lambda t: None, False),
        (lambda net, x: net(X + 0 * x).square().mean(), X.clone(), lambda t: None, False),
    ],
    ids=["held", "changed by hand", "inputs", "a part of the inputs", "targets", "per sample"],
)
def test_healthy_neighbours(
    program: Callable[[nn.Module, Tensor], Tensor],
    plain: Tensor,
    after: Callable[[Tensor], object],
    held: bool,
) -> None:
    assert shapes(program, plain, after, held) == ()


def test_a_new_tensor_at_each_step_is_no_weight() -> None:
    def attacked(net: nn.Module, weight: Tensor) -> Tensor:
        return (net(X) + torch.zeros(3, requires_grad=True)).square().mean()

    assert shapes(attacked, torch.ones(1)) == ()


def test_few_graphs_are_searched_for_inputs_that_are_new_at_each_step() -> None:
    reader = OutsideTensors()
    for x in [torch.rand(5, 4, requires_grad=True) for _ in range(40)]:
        loss = (x * 2).sum()
        assert reader.read(loss, {id(x): x}, known=()) == {}
    assert reader._searched == 8
