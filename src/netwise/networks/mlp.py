"""Multilayer perceptron (多层感知机): fully connected layers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

from torch import nn

from netwise.data.dataset import Samples
from netwise.errors import Problem, short_repr
from netwise.networks.layers.byte_dropout import ByteDropout
from netwise.networks.layers.dropconnect import DropConnectLinear
from netwise.networks.layers.flatten import FlattenIfNeeded
from netwise.networks.layers.members import MemberLinear, Members
from netwise.networks.layers.periodic import PeriodicEmbedding
from netwise.networks.layers.residual import Residual
from netwise.networks.layers.standard_dropout import StandardDropout
from netwise.networks.network import Network, described_targets, takes_outputs, wrong_inputs
from netwise.part import flag, integer, integers, number, part, text
from netwise.parts.activations import Activation, Identity, Maxout, ReLU
from netwise.parts.losses import Loss

FUNCTIONS = 3  # of each input in `periodic`
DROPPED = "it is a share of what is dropped"
BEFORE, AFTER = "before", "after"
INVERTED, STANDARD = "inverted", "standard"


@dataclass(frozen=True)
class MLP(Network):
    """Linear layers with an activation between them: a^l = f(W^l a^(l-1) + b^l).

    Images are flattened. A hidden layer is: linear, batch norm, activation, dropout. With `Maxout`
    a unit of the hidden layers has several linear functions.

    Args:
        widths: numbers of inputs, of each hidden layer's units, and of outputs.
        activation: of the hidden layers. Default `ReLU()`.
        output: of the last layer. Default `Identity()`: losses take logits or plain values.
        batch_norm: normalise each hidden layer. Default false.
        norm_place: "before" or "after" the activation; both are used. Default "before", the
            paper's.
        dropout: share of hidden units dropped in training, from 0 to below 1. Default 0.0.
        input_dropout: the same for the inputs. Default 0.0.
        dropout_form: "inverted", which scales up in training what is kept; or "standard", which
            scales down in use. Default "inverted".
        drop_connect: share of the hidden layers' weights dropped in training, from 0 to below 1.
            Default 0.0.
        residual: hidden layers as wide as the one before add their input: y = x + F(x). Default
            false.
        members: networks of an ensemble that share the weight matrices and have factors and biases
            of their own. In training each row is computed by one of them, in evaluation by all, and
            their outputs are averaged. Default 1.
        periodic: indices of inputs, from 0, that the first layer also gets learned functions of
            cosines of; for numbers of tables with a spread of about 1. Default none.

    Example:
        >>> import netwise as nw
        >>> sum(p.numel() for p in nw.MLP((784, 30, 10)).build().parameters())  # 785 * 30 + 31 * 10
        23860
        >>> nw.MLP((784, 240, 10), activation=nw.Maxout(5)).build().layer1.out_features
        1200

    Source: batch norm: Ioffe, Szegedy
    2015, arXiv 1502.03167; members: Wen, Tran, Ba 2020, arXiv 2002.06715, section 3, and Gorishniy,
    Kotelnikov, Babenko 2025, arXiv 2410.24210, for tables; periodic: Holzmüller, Grinsztajn,
    Steinwart 2024, arXiv 2407.04491, section 3.
    """

    declares_shape: ClassVar[bool] = True
    widths: tuple[int, ...] = integers(
        shortest=2,
        longest=1000,
        most=1_000_000,
        because="inputs, hidden layers, outputs",
        write="[64, 30, 10]",
    )
    activation: Activation = part(
        Activation, ReLU(), why="slope 1 where it fires: gradients keep their size"
    )
    output: Activation = part(Activation, Identity(), why="losses take logits or plain values")
    batch_norm: bool = flag(
        False, why="a good initialization makes it unnecessary in shallow networks"
    )
    norm_place: str = text(BEFORE, among=(BEFORE, AFTER), why="the paper's place")
    dropout: float = number(
        0.0, least=0, below=1, because=DROPPED, why="regularise when overfitting is seen"
    )
    input_dropout: float = number(
        0.0, least=0, below=1, because=DROPPED, why="regularise when overfitting is seen"
    )
    drop_connect: float = number(
        0.0, least=0, below=1, because=DROPPED, why="regularise when overfitting is seen"
    )
    residual: bool = flag(False, why="a few layers can be trained without")
    members: int = integer(
        1,
        least=1,
        most=1000,
        because="an ensemble has networks",
        why="one network; several are for tables",
    )
    periodic: tuple[int, ...] = integers(
        (), shortest=0, least=0, because="they are indices of inputs", why="plain inputs"
    )
    dropout_form: str = text(INVERTED, among=(INVERTED, STANDARD), why="torch's form")

    def conflicts(self) -> list[Problem]:
        wrong = [i for i in self.periodic if i >= self.widths[0]]
        if wrong or len(set(self.periodic)) < len(self.periodic):
            reason = f"must be different indices from 0 to {self.widths[0] - 1}, of the inputs"
            right = sorted({i for i in self.periodic if i < self.widths[0]})
            return [Problem("periodic", short_repr(list(self.periodic)), reason, str(right))]
        if self.members > 1 and self.drop_connect:
            reason = "drops weights that all members share: use dropout, which drops units"
            return [Problem("drop_connect", repr(self.drop_connect), reason, "0.0")]
        return []

    def written_fields(self) -> dict[str, Any]:
        """Without `members` where there is one, and without the usual form of dropout, as in files
        of earlier versions."""
        fields = super().written_fields()
        usual = {"members": 1, "dropout_form": INVERTED}
        return {name: fields[name] for name in fields if usual.get(name, ()) != getattr(self, name)}

    @property
    def has_hidden_layers(self) -> bool:
        return len(self.widths) > 2

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        features = samples.train.x[0].numel()
        right = [features, *self.widths[1:-1], samples.outputs]
        problems = wrong_inputs(self.widths, features, right)
        if problems or takes_outputs(self.widths[-1], samples, loss):
            return problems
        reason = (
            f"ends in {self.widths[-1]} outputs, and the data have {described_targets(samples)}"
        )
        return [Problem("network.widths", str(list(self.widths)), reason, str(right))]

    def with_shortcuts(self) -> Self | str:
        if self.residual:
            return "the network has residual connections already"
        if not any(a == b for a, b in pairwise(self.widths[:-1])):
            return "a residual connection needs two neighbouring hidden layers of equal width"
        return self.but(residual=True)

    def with_plain_output(self) -> Self | str:
        if self.output == Identity():
            return "the network ends without an activation already"
        return self.but(output=Identity())

    def widened(self) -> Self | str:
        ins, *hidden, outs = self.widths
        if not hidden:
            return self.but(widths=(ins, 64, outs))
        return self.but(widths=(ins, *(max(4 * width, 32) for width in hidden), outs))

    def deepened(self) -> Self | str:
        ins, *hidden, outs = self.widths
        return self.but(widths=(ins, *hidden, hidden[-1] if hidden else 64, outs))

    def narrowed(self) -> Self | str:
        ins, *hidden, outs = self.widths
        if not hidden:
            return "the network has no hidden layer to narrow"
        if max(hidden) == 1:
            return "the hidden layers have one unit each"
        return self.but(widths=(ins, *(max(1, width // 4) for width in hidden), outs))

    def with_hidden_layers(
        self, *, units: int | None = None, layers: int | None = None
    ) -> Self | str:
        ins, *hidden, outs = self.widths
        if layers is not None:
            hidden = [hidden[0] if hidden else 64] * layers
        if units is not None:
            hidden = [units] * len(hidden)
        return self.but(widths=(ins, *hidden, outs))

    def build(self) -> nn.Module:
        layers: nn.Sequential = nn.Sequential() if self.members == 1 else Members()
        layers.add_module("flatten", FlattenIfNeeded())
        if self.input_dropout:
            layers.add_module("dropout0", self._dropout(self.input_dropout))
        widths, last = self.widths, len(self.widths) - 1
        if self.periodic:
            layers.add_module("periodic", PeriodicEmbedding(self.periodic, outputs=FUNCTIONS))
            widths = (widths[0] + FUNCTIONS * len(self.periodic), *widths[1:])
        for i, (ins, outs) in enumerate(pairwise(widths), start=1):
            if i == last:
                layers.add_module(f"layer{i}", self._linear(ins, outs))
            elif self.residual and ins == outs:
                block = Residual()
                self._hidden(block, i, ins, outs)
                layers.add_module(f"block{i}", block)
            else:
                self._hidden(layers, i, ins, outs)
        if not isinstance(self.output, Identity):
            layers.add_module("output", self.output.build())
        return layers

    def _dropout(self, share: float) -> nn.Module:
        if self.dropout_form == STANDARD:
            return StandardDropout(share)
        return ByteDropout(share) if self.members > 1 else nn.Dropout(share)

    def _linear(self, ins: int, outs: int) -> nn.Linear:
        if self.members > 1:
            return MemberLinear(ins, outs, self.members)
        return nn.Linear(ins, outs)

    def _hidden(self, layers: nn.Sequential, i: int, ins: int, outs: int) -> None:
        units = outs * self.activation.pieces if isinstance(self.activation, Maxout) else outs
        layers.add_module(
            f"layer{i}",
            DropConnectLinear(ins, units, p=self.drop_connect)
            if self.drop_connect
            else self._linear(ins, units),
        )
        if self.batch_norm and self.norm_place == BEFORE:
            layers.add_module(f"norm{i}", nn.BatchNorm1d(units))
        layers.add_module(f"activation{i}", self.activation.build())
        if self.batch_norm and self.norm_place == AFTER:
            layers.add_module(f"norm{i}", nn.BatchNorm1d(outs))
        if self.dropout:
            layers.add_module(f"dropout{i}", self._dropout(self.dropout))
