"""What a healthy program is, and data that several of them train on."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from torch import Tensor


@dataclass(frozen=True)
class HealthyProgram:
    """A program that learns well.

    Args:
        name: of its function.
        train: trains and returns a score, higher is better.
        good: the score that it reaches with every seed.
    """

    name: str
    train: Callable[[], float]
    good: float

    def run(self, seed: int) -> float:
        """Trains with this seed and returns the score."""
        torch.manual_seed(seed)
        np.random.seed(seed)  # programs of users do so
        random.seed(seed)
        return float(self.train())


PROGRAMS: dict[str, HealthyProgram] = {}


def healthy(good: float) -> Callable[[Callable[[], float]], Callable[[], float]]:
    """Adds a function that trains to `PROGRAMS`."""

    def add(train: Callable[[], float]) -> Callable[[], float]:
        PROGRAMS[train.__name__] = HealthyProgram(train.__name__, train, good)
        return train

    return add


@cache
def _digits() -> tuple[Tensor, Tensor]:
    x, y = load_digits(return_X_y=True)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(7))
    images = torch.tensor(x, dtype=torch.float32).view(-1, 1, 8, 8)[order]
    return (images - 4.9) / 6.0, torch.tensor(y)[order]


def digits(train: int = 1000, test: int = 400) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training images (n, 1, 8, 8) about 0 with spread 1, their classes, and those of a test."""
    x, y = _digits()
    x, y = x.clone(), y.clone()
    return x[:train], y[:train], x[train : train + test], y[train : train + test]


@cache
def _tumours() -> tuple[Tensor, Tensor]:
    x, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(3).permutation(len(x))
    x = (x[order] - x.mean(0)) / x.std(0)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y[order], dtype=torch.float32)


def tumours() -> tuple[Tensor, Tensor]:
    """569 rows of 30 standardised features, and 0 or 1."""
    x, y = _tumours()
    return x.clone(), y.clone()


def accuracy(outputs: Tensor, classes: Tensor) -> float:
    """Share of rows whose largest output is that of their class."""
    return float((outputs.argmax(-1) == classes).float().mean())


def r2(outputs: Tensor, targets: Tensor) -> float:
    """Share of the targets' variance that is explained."""
    return float(1 - ((outputs - targets) ** 2).mean() / ((targets - targets.mean(0)) ** 2).mean())
