"""Embeddings of numbers: a few functions of each input beside the input itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from netwise.networks.script_source import ScriptSource


class PeriodicEmbedding(nn.Module):
    """Adds to the inputs, for each of some of them, linear functions of cosines of it:

        e_i = V_i cos(2 pi w_i x_i + p_i) + c_i,  w_i ~ N(0, spread^2),  p_i ~ U(-pi, pi)

    The frequencies `w` and phases `p` are learned too. Inputs should have a spread of about 1.
    Source: Holzmüller, Grinsztajn, Steinwart 2024, arXiv 2407.04491, section 3 (PBLD); Gorishniy,
    Rubachev, Babenko 2022, arXiv 2203.05556.

    Args:
        inputs: indices of the inputs that get functions.
        frequencies: cosines of each.
        outputs: functions of each.
        spread: standard deviation of the frequencies at the start.
    """

    index: Tensor

    def __init__(
        self, inputs: Sequence[int], frequencies: int = 16, outputs: int = 3, spread: float = 0.1
    ) -> None:
        super().__init__()
        self.inputs, self.spread = tuple(inputs), spread
        count = len(self.inputs)
        self.register_buffer("index", torch.tensor(self.inputs), persistent=False)
        self.frequencies = nn.Parameter(spread * torch.randn(count, frequencies))
        self.phases = nn.Parameter(torch.empty(count, frequencies).uniform_(-math.pi, math.pi))
        bound = frequencies**-0.5
        self.weights = nn.Parameter(
            torch.empty(count, frequencies, outputs).uniform_(-bound, bound)
        )
        self.biases = nn.Parameter(torch.empty(count, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        turns = 2 * math.pi * x.index_select(1, self.index)[:, :, None] * self.frequencies
        waves = torch.cos(turns + self.phases).transpose(0, 1)
        functions = torch.baddbmm(self.biases[:, None], waves, self.weights)
        return torch.cat([x, functions.transpose(0, 1).flatten(1)], 1)

    def extra_repr(self) -> str:
        _, frequencies, outputs = self.weights.shape
        return f"{self.inputs}, {frequencies}, {outputs}, {self.spread}"


SCRIPT_SOURCES = {PeriodicEmbedding: ScriptSource()}
