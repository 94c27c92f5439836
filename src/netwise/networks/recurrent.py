"""Recurrent networks (循环神经网络): Elman's, LSTM, GRU, over characters or rows of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn

from netwise.data.dataset import Samples
from netwise.errors import Problem
from netwise.networks.network import SEQUENCES, Network
from netwise.networks.script_source import ScriptSource
from netwise.part import flag, integer, number, text
from netwise.parts.losses import Loss

EACH, LAST = "each", "last"


@runtime_checkable
class NextSymbolPredictor(Protocol):
    """A module that can predict the next symbol of a sequence, step by step."""

    @property
    def predicts_next(self) -> bool:
        """Whether it was built to: symbols go in, and it answers at each step."""

    def predict_next(self, symbols: Tensor, state: Any) -> tuple[Tensor, Any]:
        """(logits of the symbol after these ones, state to continue from)."""


@runtime_checkable
class Stateful(Protocol):
    """A module whose state at the end of one training batch is the start of the next one."""

    def reset_state(self) -> None:
        """Begin the next batch with an empty state."""


class Sequencer(nn.Module):
    """Module of recurrent networks: reads a sequence step by step, with an output at each step or
    after the last one.

    Takes class numbers (samples, steps) where `symbols` > 0, else numbers (samples, steps,
    features); further axes of images are taken as rows: (samples, channels, height, width) is
    height steps of channels * width numbers. Gives (samples, outputs), or (samples, outputs, steps)
    for an answer at each step, as torch's losses take it.
    """

    def __init__(
        self,
        cell: str,
        features: int,
        units: int,
        layers: int,
        outputs: int,
        symbols: int = 0,
        answers: str = LAST,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.arguments = (cell, features, units, layers, outputs, symbols, answers, dropout)
        self.answers = answers
        kinds = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
        self.embedding = nn.Embedding(symbols, features) if symbols else None
        self.cell = kinds[cell](
            features, units, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0
        )
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.head = nn.Linear(units, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(self.cell(self.read(x))[0])

    def read(self, x: Tensor) -> Tensor:
        """What the cell takes: (samples, steps, features)."""
        if self.embedding is None:
            return as_rows(x)
        rows: Tensor = self.embedding(x)
        return rows if self.dropout is None else self.dropout(rows)

    def answer(self, h: Tensor) -> Tensor:
        """Outputs for the states (samples, steps, units)."""
        if self.answers == LAST:
            h = h[:, -1]
        if self.dropout is not None:
            h = self.dropout(h)
        out: Tensor = self.head(h)
        return out if self.answers == LAST else out.transpose(1, 2)

    @property
    def predicts_next(self) -> bool:
        return self.answers != LAST and self.embedding is not None

    def predict_next(self, symbols: Tensor, state: Any) -> tuple[Tensor, Any]:
        h, state = self.cell(self.read(symbols), state)
        return self.head(h[0, -1]), state

    def extra_repr(self) -> str:
        return ", ".join(map(repr, self.arguments))


class StreamSequencer(Sequencer):
    """A sequencer whose detached state at the end of a training batch is the initial state of the
    next one.

    That is truncated back-propagation through time: gradients reach back over one batch, the state
    over the whole text. The state is saved with the weights, as the module's extra state. In
    evaluation each sequence starts with an empty state.
    """

    state: Tensor = torch.zeros(0)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        continues = self.state.dim() == 4 and self.state.shape[2] == len(x)
        before = (
            None
            if not continues
            else tuple(self.state.unbind())
            if len(self.state) == 2
            else self.state[0]
        )
        h, after = self.cell(self.read(x), before)
        self.state = torch.stack([after] if isinstance(after, Tensor) else list(after)).detach()
        return self.answer(h)

    def reset_state(self) -> None:
        """Begin the next batch with an empty state."""
        self.state = torch.zeros(0)

    def get_extra_state(self) -> Tensor:
        return self.state

    def set_extra_state(self, state: Tensor) -> None:
        self.state = state.clone()


def as_rows(x: Tensor) -> Tensor:
    """(samples, steps, features): images become rows of pixels, plain rows of numbers become steps
    of one number."""
    if x.dim() == 4:
        return x.transpose(1, 2).flatten(2)
    return x[:, :, None] if x.dim() == 2 else x


STEPS = "it reads step by step"


@dataclass(frozen=True, kw_only=True)
class _Recurrent(Network):
    """A recurrent network.

    Args:
        features: numbers of each step; with `symbols`, length of the vector learned for each
            symbol. Default 28.
        units: of the state. Default 128.
        layers: states on top of each other, at least 1. Default 1.
        outputs: of each answer. Default 10.
        symbols: size of the alphabet, for class numbers as inputs; 0: the inputs are numbers.
            Default 0.
        answers: "last": one answer after the last step; "each": one at every step. Default "last".
        dropout: share of the state dropped before the answer, of the symbols' vectors, and between
            layers. Default 0.0.
        carry: begin each training batch with the state that the one before ended with; for texts.
            Default false.
    """

    input_kind: ClassVar[str] = SEQUENCES
    cell: ClassVar[str] = "RNN"
    features: int = integer(
        28, least=1, most=100_000, because=STEPS, why="a row of a digit of 28x28"
    )
    units: int = integer(
        128, least=1, most=100_000, because="the state has a size", why="enough for rows of digits"
    )
    layers: int = integer(
        1, least=1, most=100, because="there is a state", why="one is enough for most"
    )
    outputs: int = integer(
        10, least=1, most=1_000_000, because="a network has outputs", why="ten digits"
    )
    symbols: int = integer(
        0,
        least=0,
        most=1_000_000,
        because="it is the size of an alphabet",
        why="inputs are numbers",
    )
    answers: str = text(LAST, among=(LAST, EACH), why="a sequence is of one class")
    dropout: float = number(
        0.0,
        least=0,
        below=1,
        because="it is a share of the state",
        why="regularise when overfitting is seen",
    )
    carry: bool = flag(False, why="most sequences have a beginning of their own")

    def conflicts(self) -> list[Problem]:
        if self.carry and self.answers != EACH:
            return [Problem("carry", "True", "is for texts, which answer at each step", "False")]
        return []

    def problems(self, samples: Samples, loss: Loss) -> list[Problem]:
        size = len(samples.classes)
        if not samples.train.x.is_floating_point() and self.symbols != size:
            reason = f"and the data have an alphabet of {size}"
            return [Problem("network.symbols", str(self.symbols), reason, str(size))]
        if self.carry and not samples.in_order:
            reason = "needs batches that follow each other, and the data come in random order"
            return [Problem("network.carry", "True", reason, "data.text(..., in_order=True)")]
        return []

    def widened(self) -> Self | str:
        return self.but(units=2 * self.units)

    def narrowed(self) -> Self | str:
        return self.but(units=max(1, self.units // 2))

    def build(self) -> nn.Module:
        kind = StreamSequencer if self.carry else Sequencer
        return kind(
            self.cell,
            self.features,
            self.units,
            self.layers,
            self.outputs,
            self.symbols,
            self.answers,
            self.dropout,
        )


@dataclass(frozen=True, kw_only=True)
class ElmanRNN(_Recurrent):
    """Elman's recurrent network: h_t = tanh(W_xh x_t + W_hh h_(t-1) + b), y_t = W_hy h_t + b_y.

    The gradient is multiplied by W_hh at every step back: it fades or explodes within some ten
    steps. For longer memories use `LSTM` or `GRU`; `gradient_through_time` shows the difference.

    Args:
        features, units, layers, outputs, symbols, answers, dropout, carry: see `LSTM`.

    Example:
        >>> import netwise as nw, torch
        >>> nw.ElmanRNN(features=28, units=16).build()(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 10])

    Source: Elman 1990, Finding structure in time.
    """

    cell: ClassVar[str] = "RNN"


@dataclass(frozen=True, kw_only=True)
class LSTM(_Recurrent):
    """Long short-term memory: gated cells with additive updates, so that gradients persist over
    hundreds of steps.

        i, f, o = sigmoid(W x_t + U h_(t-1) + b),   g = tanh(...)
        c_t = f c_(t-1) + i g,   h_t = o tanh(c_t)

    Args:
        features: numbers of each step; with `symbols`, length of the vector learned for each
            symbol. Default 28.
        units: of the state. Default 128.
        layers: states on top of each other, at least 1. Default 1.
        outputs: of each answer. Default 10.
        symbols: size of the alphabet, for class numbers as inputs; 0: the inputs are numbers.
            Default 0.
        answers: "last": one answer after the last step; "each": one at every step. Default "last".
        dropout: share of the state dropped before the answer, of the symbols' vectors, and between
            layers. Default 0.0.
        carry: begin each training batch with the state that the one before ended with; for texts.
            Default false.

    Example:
        >>> import netwise as nw, torch
        >>> network = nw.LSTM(features=8, units=16, outputs=65, symbols=65, answers="each")
        >>> x = torch.zeros(5, 20, dtype=torch.int64)
        >>> network.build()(x).shape  # (samples, outputs, steps)
        torch.Size([5, 65, 20])

    Source: Hochreiter, Schmidhuber 1997, with the forget gate of Gers, Schmidhuber, Cummins 2000;
    torch's `nn.LSTM`.
    """

    cell: ClassVar[str] = "LSTM"


@dataclass(frozen=True, kw_only=True)
class GRU(_Recurrent):
    """Gated recurrent unit: an LSTM with two gates and no separate cell.

        r, z = sigmoid(...),   n = tanh(W x_t + r (U h_(t-1))),   h_t = (1 - z) n + z h_(t-1)

    Args:
        features, units, layers, outputs, symbols, answers, dropout, carry: see `LSTM`.

    Example:
        >>> import netwise as nw
        >>> sum(p.numel() for p in nw.GRU(features=2, units=4, outputs=1).build().parameters())
        101

    Source: Cho et al. 2014, arXiv 1406.1078; torch's `nn.GRU`.
    """

    cell: ClassVar[str] = "GRU"


def gradient_through_time(
    module: nn.Module, x: Tensor, loss: object = None, y: Tensor | None = None
) -> list[float]:
    """Norm of the gradient of the loss at the state of each step: how it decays back in time.

    Norm over samples and units of dC/dh_t, the whole gradient, through all later steps.

    Args:
        module: a recurrent module of netwise.
        x: inputs as it takes them.
        loss: function (output, target) -> scalar. Default: the sum of the last step's answer.
        y: targets.

    Raises:
        TypeError: another module.

    Example:
        >>> import netwise as nw, torch
        >>> _ = torch.manual_seed(0)
        >>> module = nw.ElmanRNN(features=1, units=8, outputs=1).build()
        >>> norms = nw.gradient_through_time(module, torch.randn(16, 30, 1))
        >>> len(norms), norms[0] < 0.01 * norms[-1]  # thirty steps back it has nearly vanished
        (30, True)

    Source: Bengio, Simard, Frasconi 1994.
    """
    if not isinstance(module, Sequencer):
        raise TypeError(
            f"module is a {type(module).__name__}, and gradient_through_time reads the states of a"
            " recurrent module of netwise: use LSTM(...).build()"
        )
    rows = module.embedding(x) if module.embedding is not None else as_rows(x)
    state, states, answers = None, [], []
    for t in range(rows.shape[1]):
        _, state = module.cell(rows[:, t : t + 1], state)
        whole = state[0] if isinstance(state, tuple) else state
        whole.retain_grad()
        states.append(whole)
        answers.append(module.head(whole[-1]))
    output = answers[-1] if module.answers == LAST else torch.stack(answers, 2)
    value = loss(output, y) if callable(loss) else answers[-1].sum()
    return [
        float(g.norm())
        for g in torch.autograd.grad(value, states, allow_unused=True, materialize_grads=True)
    ]


SCRIPT_SOURCES = {Sequencer: ScriptSource(('LAST = "last"', as_rows))}
