"""Multilayer perceptron (多层感知机): every layer joined to all of the next, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from netwise.activations import Activation, Identity, ReLU
from netwise.fields import flag, integers, number, part
from netwise.networks.flatten import Flatten
from netwise.networks.network import Network


@dataclass(frozen=True)
class MLP(Network):
    """Linear layers with an activation between them: a^l = f(W^l a^(l-1) + b^l).

    Images are flattened. Batch norm, where asked for, stands before the activation; dropout after it.

    Args:
        widths: numbers of inputs, of each hidden layer's units, and of outputs.
        activation: of the hidden layers. Default `ReLU()`.
        output: of the last layer. Default `Identity()`: losses take logits or plain values.
        batch_norm: normalise each hidden layer's input to its activation. Default false.
        dropout: share of hidden units dropped in training, from 0 to below 1. Default 0.0.

    Example:
        >>> import netwise as nw
        >>> sum(p.numel() for p in nw.MLP((784, 30, 10)).build().parameters())  # 785 * 30 + 31 * 10
        23860

    Source: note 001, claims N02 and Y09; batch norm: Ioffe, Szegedy 2015, arXiv 1502.03167.
    """

    widths: tuple[int, ...] = integers(shortest=2, longest=1000, most=1_000_000, because="inputs, hidden layers, outputs", write="[64, 30, 10]")
    activation: Activation = part(Activation, ReLU(), why="slope 1 where it fires: gradients keep their size")
    output: Activation = part(Activation, Identity(), why="losses take logits or plain values")
    batch_norm: bool = flag(False, why="a good start makes it unnecessary in shallow nets")
    dropout: float = number(0.0, least=0, below=1, because="it is a share of the units", why="regularise when overfitting is seen")

    def build(self) -> nn.Module:
        layers = nn.Sequential()
        layers.add_module("flatten", Flatten())
        last = len(self.widths) - 1
        for i, (ins, outs) in enumerate(pairwise(self.widths), start=1):
            layers.add_module(f"layer{i}", nn.Linear(ins, outs))
            if i < last:
                if self.batch_norm:
                    layers.add_module(f"norm{i}", nn.BatchNorm1d(outs))
                layers.add_module(f"activation{i}", self.activation.build())
                if self.dropout:
                    layers.add_module(f"dropout{i}", nn.Dropout(self.dropout))
        if not isinstance(self.output, Identity):
            layers.add_module("output", self.output.build())
        return layers
