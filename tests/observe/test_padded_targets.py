"""Padding among targets: counted, left out in several ways, and what is no padding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw

LENGTHS = torch.tensor([5, 2, 3, 1, 4, 2])
X = torch.randint(1, 6, (6, 5), generator=torch.Generator().manual_seed(0))
X = X * (torch.arange(5) < LENGTHS[:, None])
Y = (1 + X % 5) * (X > 0)
MASK = Y > 0


def plain(output: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(output.flatten(0, 1), y.flatten())


def share(loss: Callable[[Tensor, Tensor], Tensor], y: Tensor = Y) -> tuple[float, int] | None:
    """What is known of a network that was trained for a step."""
    net = nn.Sequential(nn.Embedding(6, 8), nn.Linear(8, 7))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with nw.watch() as watched:
        loss(net(X), y).backward()
        optimizer.step()
    data = watched.history().data
    assert data is not None
    return data.padded_targets


def test_padding_that_counts() -> None:
    expected = (13 / 30, 0)
    assert share(plain) == expected
    assert share(lambda o, y: F.cross_entropy(o.transpose(1, 2), y)) == expected
    assert share(lambda o, y: plain(o, y), torch.where(MASK, Y, 6)) == (13 / 30, 6)
    stopped = Y.scatter(1, (LENGTHS - 1)[:, None].clamp(min=1), 0)
    assert share(plain, stopped) is not None  # the last symbol is one that stops


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (lambda o, y: F.cross_entropy(o.transpose(1, 2), y, ignore_index=0), Y),
        (plain, torch.where(MASK, Y, -100)),
        (lambda o, y: plain(o[None][0][MASK][None], y[MASK][None]), Y),
        (
            lambda o, y: (
                (F.cross_entropy(o.transpose(1, 2), y, reduction="none") * MASK).sum() / MASK.sum()
            ),
            Y,
        ),
        (
            lambda o, y: F.cross_entropy(
                o.transpose(1, 2), y, weight=torch.tensor([0.0, 1, 1, 1, 1, 1, 1])
            ),
            Y,
        ),
        (plain, Y[torch.randperm(6, generator=torch.Generator().manual_seed(1))]),
        (plain, torch.randint(0, 6, (6, 5), generator=torch.Generator().manual_seed(2))),
    ],
    ids=["ignored", "-100", "selected", "masked", "weight of 0", "elsewhere", "no padding"],
)
def test_healthy_neighbours(loss: Callable[[Tensor, Tensor], Tensor], y: Tensor) -> None:
    assert share(loss, y) is None
