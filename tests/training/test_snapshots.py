"""What is taken out of a module and its optimizer can be put back: later steps are the same."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from netwise.training.snapshots import (
    Keeper,
    load_optimizer,
    module_tensors,
    optimizer_tensors,
    rng_state,
    set_rng_state,
)

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "rprop": lambda p: torch.optim.Rprop(p, lr=0.01),
    "lbfgs": lambda p: torch.optim.LBFGS(p, lr=0.1, max_iter=3),
}
G = torch.Generator().manual_seed(0)
X, Y = torch.randn(20, 4, generator=G), torch.randn(20, 2, generator=G)


def module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 2))


def take_steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.mse_loss(model(X), Y)
        loss.backward()
        return loss

    for _ in range(count):
        optimizer.step(closure)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_keeper_goes_back_to_the_same_steps(name: str) -> None:
    model = module()
    optimizer = OPTIMIZERS[name](list(model.parameters()))
    keeper = Keeper(model, optimizer, torch.device("cpu"))
    take_steps(model, optimizer, 3)
    keeper.take()
    take_steps(model, optimizer, 3)
    first = {key: value.clone() for key, value in module_tensors(model).items()}
    keeper.restore()
    take_steps(model, optimizer, 3)
    assert all(torch.equal(first[key], value) for key, value in module_tensors(model).items())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_new_optimizer_continues_from_the_saved_state(name: str) -> None:
    model = module().eval()
    optimizer = OPTIMIZERS[name](list(model.parameters()))
    take_steps(model, optimizer, 3)
    weights = {key: value.clone() for key, value in module_tensors(model).items()}
    tensors = {key: value.clone() for key, value in optimizer_tensors(optimizer).items()}
    take_steps(model, optimizer, 2)
    expected = {key: value.clone() for key, value in module_tensors(model).items()}
    other = module().eval()
    other.load_state_dict(weights)
    again = OPTIMIZERS[name](list(other.parameters()))
    load_optimizer(again, tensors)
    take_steps(other, again, 2)
    assert all(torch.equal(expected[key], value) for key, value in module_tensors(other).items())


def test_before_the_first_step_a_keeper_empties_the_state() -> None:
    model = module()
    optimizer = OPTIMIZERS["adam"](list(model.parameters()))
    keeper = Keeper(model, optimizer, torch.device("cpu"))
    keeper.take()
    take_steps(model, optimizer, 1)
    keeper.restore()
    assert optimizer_tensors(optimizer) == {}


def test_random_states_come_back() -> None:
    device = torch.device("cpu")
    with torch.random.fork_rng():
        states = rng_state(device)
        first = torch.rand(3)
        set_rng_state(states, device)
        assert torch.equal(torch.rand(3), first)
