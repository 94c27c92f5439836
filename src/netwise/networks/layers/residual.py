"""Residual connections: what comes in is added to what comes out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netwise.networks.script_source import ScriptSource


class Residual(nn.Sequential):
    """y = x + F(x), for a body F that keeps the shape (note 001, claim N08)."""

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in self:
            y = layer(y)
        return x + y


def kept(x: Tensor, chance_of_drop: float, training: bool) -> Tensor:
    """Stochastic depth: in training the branch `x` is left out for random samples, and scaled up
    for the others.

    Source: Huang, Sun, Liu, Sedra, Weinberger 2016, arXiv 1603.09382; by sample, and with the
    scaling in training.
    """
    if not training or not chance_of_drop:
        return x
    shape = (len(x), *[1] * (x.dim() - 1))
    return x * torch.empty(shape, dtype=x.dtype, device=x.device).bernoulli_(
        1 - chance_of_drop
    ).div_(1 - chance_of_drop)


SCRIPT_SOURCES = {Residual: ScriptSource()}
