"""Residual connections: the input of a block is added to its output."""

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


def stochastic_depth(x: Tensor, drop: float, training: bool) -> Tensor:
    """Stochastic depth: in training the branch `x` is set to 0 for random samples, with
    probability `drop`, and scaled up for the others.

    Source: Huang, Sun, Liu, Sedra, Weinberger 2016, arXiv 1603.09382; by sample, and with the
    scaling in training.
    """
    if not training or not drop:
        return x
    shape = (len(x), *[1] * (x.dim() - 1))
    return x * torch.empty(shape, dtype=x.dtype, device=x.device).bernoulli_(1 - drop).div_(
        1 - drop
    )


SCRIPT_SOURCES = {Residual: ScriptSource()}
