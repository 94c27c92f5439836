"""The chain of operations from a loss to the last layer with weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.loss_elements import chain_from, match
from networks_of_daily_life import X

CHAINS: dict[str, tuple[Callable[[Tensor], Tensor], tuple[str, ...]]] = {
    "raw": (lambda o: o, ("Addmm",)),
    "moved": (lambda o: o.view(3, 6).T[:2, None].unsqueeze(0).clone(), ("Addmm",)),
    "shifted_and_scaled": (lambda o: (1 - 2 * o / 3 + 1e-9).double(), ("Addmm",)),
    "probabilities": (lambda o: o.softmax(1).log(), ("Log", "Softmax", "Addmm")),
    "limits": (lambda o: o.sigmoid().clamp(1e-7, 1), ("Clamp", "Sigmoid", "Addmm")),
    "log_softmax_by_hand": (lambda o: o - o.logsumexp(1, keepdim=True), ("LogSoftmax", "Addmm")),
    "trained_shift_and_scale": (
        lambda o: nn.Parameter(torch.ones(3)) * o.relu() + nn.Parameter(torch.ones(3)),
        ("Relu", "Addmm"),
    ),
    "two_ways": (lambda o: o.tanh() + o, ("Add", "Tanh", "Addmm")),
    "product": (lambda o: (o @ o.T).sigmoid(), ("Sigmoid", "Mm")),
    "in_place": (lambda o: o.relu_().tanh_(), ("Tanh", "Relu", "Addmm")),
}


@pytest.mark.parametrize("name", list(CHAINS))
def test_chains(name: str) -> None:
    make, chain = CHAINS[name]
    assert chain_from(make(nn.Linear(8, 3)(X)).grad_fn) == chain


def test_chains_end() -> None:
    value = nn.Linear(8, 3)(X)
    for _ in range(100):
        value = value.tanh()
    assert chain_from(value.grad_fn) == ("Tanh",) * 40
    assert chain_from(None) == ()
    assert chain_from((nn.Parameter(torch.ones(2)) * 2).grad_fn) == ()


def test_what_is_no_loss_of_elements() -> None:
    output = nn.Linear(8, 3)(X)
    for value in (output, output**2, output.log_softmax(1), output * X[:, :3], output - X[:, :3]):
        assert match(value.grad_fn) is None
