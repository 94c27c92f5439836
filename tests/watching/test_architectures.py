"""Watching changes no bit of a step, whatever the network is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import netwise as nw
from networks_of_daily_life import LOSSES, Made


def weights_of(made: object) -> list[torch.Tensor]:
    parts = made if isinstance(made, list | tuple) else [made]
    found: list[torch.Tensor] = []
    for part in parts:
        if isinstance(part, nn.Module):
            found += list(part.parameters())
        elif isinstance(part, torch.Tensor) and part.requires_grad and part.is_leaf:
            found.append(part)
    return found


def buffers_of(made: object) -> list[torch.Tensor]:
    parts = made if isinstance(made, list | tuple) else [made]
    return [b for part in parts if isinstance(part, nn.Module) for b in part.buffers()]


def two_steps(make: Callable[[], Made]) -> list[torch.Tensor]:
    """Losses, gradients, weights and buffers of two fresh networks, a step of each, and the next
    random number."""
    torch.manual_seed(0)
    result = []
    for _ in range(2):
        made, loss = make()
        weights = weights_of(made)
        optimizer = torch.optim.SGD(weights, lr=0.1) if weights else None
        loss.backward()
        result.append(loss.detach().clone())
        result += [
            (w.grad.to_dense() if w.grad.is_sparse else w.grad).clone()
            for w in weights
            if w.grad is not None
        ]
        if optimizer is not None:
            optimizer.step()
        result += [each.detach().clone() for each in (*weights, *buffers_of(made))]
    return [*result, torch.rand(3)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", LOSSES, ids=lambda make: make.__name__)
def test_a_watched_step_is_the_same_to_the_bit(make: Callable[[], Made]) -> None:
    alone = two_steps(make)
    with nw.watch() as watch:
        watched = two_steps(make)
    assert watch.errors == ()
    assert len(alone) == len(watched) > 1
    for one, other in zip(alone, watched, strict=True):
        assert torch.equal(one.isnan(), other.isnan())
        assert torch.equal(one.nan_to_num(), other.nan_to_num())
