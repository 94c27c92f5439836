"""Iterators of loaders that a program begins anew."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import netwise as nw


def steps(batches: int, anew: bool, count: int = 24) -> nw.History:
    """Training on a loader that is begun anew in each step, or in each epoch."""
    torch.manual_seed(0)
    x = torch.randn(8 * batches, 3)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    iterator = iter(loader)
    with nw.watch() as w:
        for step in range(count):
            if anew:
                inputs, target = next(iter(loader))
            else:
                iterator = iter(loader) if step % batches == 0 else iterator
                inputs, target = next(iterator)
            optimizer.zero_grad()
            nn.functional.mse_loss(model(inputs), target).backward()
            optimizer.step()
    return w.history()


def test_a_loader_that_is_begun_in_each_step() -> None:
    history = steps(batches=4, anew=True)
    assert history.wiring is not None
    assert history.wiring.loader_iterators == 24
    assert "same_batch_again" in nw.diagnose(history).names


def test_loaders_that_are_used_up() -> None:
    epochs = steps(batches=4, anew=False)
    assert epochs.wiring is not None
    assert epochs.wiring.loader_iterators == 6
    whole = steps(batches=1, anew=True)  # all samples are in one batch
    assert whole.wiring is not None
    assert whole.wiring.loader_iterators == 0
    for history in (epochs, whole):
        assert "same_batch_again" not in nw.diagnose(history).names
