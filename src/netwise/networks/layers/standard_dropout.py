"""Dropout in its first form: units are dropped in training, and scaled down in use."""

from __future__ import annotations

from torch import Tensor
from torch.nn.modules.dropout import _DropoutNd

from netwise.networks.script_source import ScriptSource


class StandardDropout(_DropoutNd):
    """In training each unit is set to 0 with probability p, the others stay as they are; in
    evaluation all are multiplied by 1 - p, the share that was kept.

    `nn.Dropout`, the inverted form, divides by 1 - p in training instead, and does nothing in
    evaluation. The mean inputs of the next layer are the same in training and use in both; here
    they are smaller by 1 - p, which is as if that layer's weights were. Source: Srivastava et al.
    2014, JMLR 15, section 4.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x * (1 - self.p)
        return x * x.new_empty(x.shape).bernoulli_(1 - self.p)


SCRIPT_SOURCES = {StandardDropout: ScriptSource()}
