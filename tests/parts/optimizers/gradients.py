"""Gradients and learning rates for the tests of optimizers."""

from __future__ import annotations

from collections.abc import Callable

import torch

import netwise as nw


def steps(
    seed: int = 0, shape: tuple[int, ...] = (6, 3)
) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
    """A start, and noisy gradients of a rough function, in float64."""
    g = torch.Generator().manual_seed(seed)
    start = torch.randn(shape, generator=g, dtype=torch.float64)
    return (
        start,
        lambda w: torch.sin(w * 3) + 0.1 * torch.randn(shape, generator=g, dtype=torch.float64),
    )


def rate_at(rule: nw.Optimizer, t: int) -> float:
    return rule.lr * (1 + 0.5 * ((t % 7) / 7))
