"""Gradients of inputs in losses, watched in whole programs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw


def slope(net: nn.Module, x: Tensor, graph: bool) -> Tensor:
    x.requires_grad_(True)
    y = net(x)
    return torch.autograd.grad(y.sum(), x, create_graph=graph, retain_graph=True)[0]


def equation(net: nn.Module, graph: bool) -> Tensor:
    x = torch.rand(20, 1)
    s = slope(net, x, graph)
    return net(torch.zeros(1, 1)).sub(1).square().mean() + (s + 2 * net(x)).square().mean()


def penalty(net: nn.Module, graph: bool) -> Tensor:
    s = slope(net, torch.rand(20, 1), graph)
    return net(torch.rand(20, 1)).mean() + 10 * (s.norm(2, dim=1) - 1).square().mean()


def constant_on_purpose(net: nn.Module, graph: bool) -> Tensor:
    s = slope(net, torch.rand(20, 1), graph).detach()
    return F.mse_loss(net(torch.rand(20, 1)), s)


def adversarial(net: nn.Module, graph: bool) -> Tensor:
    x = torch.rand(20, 1)
    return net((x + 0.1 * slope(net, x, graph).sign()).detach_()).square().mean()


def adversarial_without_detach(net: nn.Module, graph: bool) -> Tensor:
    x = torch.rand(20, 1)
    return net(x.detach() + 0.1 * slope(net, x, graph).sign()).square().mean()


def written_down(net: nn.Module, graph: bool) -> Tensor:
    s = slope(net, torch.rand(20, 1), graph)
    assert s.norm() >= 0
    return net(torch.rand(20, 1)).square().mean()


def of_a_fixed_density(net: nn.Module, graph: bool) -> Tensor:
    x = torch.rand(20, 1).requires_grad_()
    (score,) = torch.autograd.grad(-0.5 * x.square().sum(), x)
    return F.mse_loss(net(x.detach()), score)


def watched(loss_of: Callable[[nn.Module, bool], Tensor], graph: bool) -> str:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    with nw.watch() as w:
        for _ in range(6):
            optimizer.zero_grad()
            loss_of(net, graph).backward()
            optimizer.step()
    assert not torch._C._len_torch_function_stack()
    wiring = w.history().wiring
    assert wiring is not None
    return wiring.constant_gradients


@pytest.mark.parametrize("loss_of", [equation, penalty])
def test_a_part_of_the_loss_is_a_constant(loss_of: Callable[[nn.Module, bool], Tensor]) -> None:
    assert watched(loss_of, graph=False).startswith("test_input_gradients.py:")
    assert watched(loss_of, graph=True) == ""


@pytest.mark.parametrize(
    "loss_of",
    [
        constant_on_purpose,
        adversarial,
        adversarial_without_detach,
        written_down,
        of_a_fixed_density,
    ],
)
def test_constants_that_are_meant(loss_of: Callable[[nn.Module, bool], Tensor]) -> None:
    assert watched(loss_of, graph=False) == ""


def test_gradients_as_values_do_not_pile_up_modes() -> None:
    """Weights that are plain tensors look like inputs, and no backward pass ever ends the step."""
    weight, x = torch.ones(3, 1, requires_grad=True), torch.rand(20, 3)
    depths = []
    with nw.watch() as w:
        for _ in range(40):
            (gradient,) = torch.autograd.grad((x @ weight).square().mean(), [weight])
            with torch.no_grad():
                weight -= 0.1 * gradient
            depths.append(torch._C._len_torch_function_stack())
    assert max(depths) <= 2
    assert w.errors == ()
