"""Data, models and helpers of the loops. Nothing here, and in no loop, knows netwise."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

ROWS = 600


def classes(rows: int = ROWS, features: int = 8) -> tuple[Tensor, Tensor]:
    """Inputs, and their class: how many of the first two numbers are above 0."""
    x = torch.randn(rows, features, generator=torch.Generator().manual_seed(1))
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


def numbers(rows: int = ROWS, features: int = 8) -> tuple[Tensor, Tensor]:
    """Inputs, and a column of numbers that are no linear function of them."""
    x = torch.randn(rows, features, generator=torch.Generator().manual_seed(1))
    return x, (x[:, 0] * x[:, 1] + x[:, 2].sin())[:, None]


def labels(rows: int = ROWS, features: int = 8) -> tuple[Tensor, Tensor]:
    """Inputs, and four labels a row, each true in half of the rows."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, features, generator=generator)
    return x, (x[:, :4] + 0.5 * x[:, 4:8] > 0).float()


@cache
def digits() -> tuple[Tensor, Tensor]:
    """1,797 pictures of handwritten digits with 64 pixels in [0, 1], and their classes."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return torch.tensor(bunch.data / 16, dtype=torch.float32), torch.tensor(bunch.target)


def chains(rows: int, length: int = 12, symbols: int = 8, faithful: float = 0.7) -> Tensor:
    """Rows of symbols; each follows from the one before it in this share of the cases."""
    generator = torch.Generator().manual_seed(2)
    x = torch.randint(symbols, (rows, length), generator=generator)
    for i in range(1, length):
        keeps = torch.rand(rows, generator=generator) < faithful
        x[:, i] = torch.where(keeps, (3 * x[:, i - 1] + 1) % symbols, x[:, i])
    return x


def pictures(rows: int = 96, size: int = 8) -> tuple[Tensor, Tensor]:
    """Pictures with three channels, and the class of each pixel."""
    x = torch.randn(rows, 3, size, size, generator=torch.Generator().manual_seed(3))
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


def batches(rows: int, size: int, epochs: int = 1) -> Iterator[Tensor]:
    """Numbers of the rows of each batch, in a new order in each epoch."""
    for _ in range(epochs):
        yield from torch.randperm(rows).split(size)


def mlp(outputs: int = 3, inputs: int = 8, hidden: int = 32) -> nn.Sequential:
    """Two layers, from a fixed start."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


class Unwatched:
    """What `watch` is replaced by where a program is to run without it."""

    def step(self, loss: Any, target: Any = None) -> None:
        """Do nothing."""

    def epoch(self, **measured: float) -> None:
        """Do nothing."""


@contextlib.contextmanager
def unwatched(model: nn.Module, **options: Any) -> Iterator[Unwatched]:
    """A block in which nothing is recorded."""
    yield Unwatched()
