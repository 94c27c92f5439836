"""DropConnect: dropout of weights instead of units."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.networks.script_source import ScriptSource


class DropConnectLinear(nn.Linear):
    """A linear layer with a random part of its weights set to 0 in training, and the others scaled
    up so that the mean is kept.

    One draw for a whole batch (the paper draws for each sample); in evaluation all weights are
    used, where the paper samples from a normal approximation. Source: Wan, Zeiler, Zhang,
    LeCun, Fergus 2013.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, p: float = 0.5
    ) -> None:
        super().__init__(in_features, out_features, bias)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return F.linear(x, self.weight, self.bias)
        kept = torch.empty_like(self.weight).bernoulli_(1 - self.p).div_(1 - self.p)
        return F.linear(x, self.weight * kept, self.bias)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}"


SCRIPT_SOURCES = {DropConnectLinear: ScriptSource()}
