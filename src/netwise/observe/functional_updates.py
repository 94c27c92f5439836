"""Programs that compute gradients as values: `torch.autograd.grad` and `torch.func.grad`, also
under `vmap`, with weights that each step makes anew.

Such a program has no optimizer and no `.grad`. Its steps are the calls that ask for the gradients
of the same weights from the same line; what a step did is the difference of the weights of two
calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.history import FINISHED, RUNNING, History, Layer, Provenance, RunEnd, RunFacts
from netwise.observe.autograd_graph import read_graph
from netwise.observe.autograd_nodes import unwrapped
from netwise.observe.loss_graph import read_loss
from netwise.observe.loss_ranges import joined
from netwise.observe.loss_record import MOST_VALUES
from netwise.observe.program_facts import ProgramFacts
from netwise.observe.sampling import Sampling, is_read
from netwise.wiring import LossTerm, Wiring

MOST_NUMBERS = 1 << 22  # of the weights of a program: copies of more are not kept
MOST_PLACES = 4  # calls that are told apart
NAME = "functional"  # of the only model of such a program
NOT_SEEN = "gradients are computed as values: no optimizer and no module is seen to use them"


class _Calls:
    """The calls of one place for weights of the same shapes.

    Args:
        weights: of the first call.
        names: of tensors of the program, by id.
        dims: axes of each weight of a single network.
    """

    def __init__(
        self, weights: Sequence[Tensor], names: Mapping[int, str], dims: Sequence[int]
    ) -> None:
        self.names = [names.get(id(w), f"weight{n}") for n, w in enumerate(weights, 1)]
        self.shapes = [tuple(w.shape) for w in weights]
        self.dims = dims
        self.matrices = [n for n, axes in enumerate(dims) if axes > 1]
        self.start = [w.detach().clone() for w in weights]
        self.equal = {n for n in self.matrices if units_are_equal(self.start[n], dims[n])}
        self.before: list[Tensor] | None = None  # weights of the call before, where it is watched
        self.slopes: list[Tensor] = []
        self.count, self.reads, self.next = 0, 0, 0
        self.losses: list[tuple[int, float]] = []
        self.rows: list[dict[str, Any]] = []
        self.terms: tuple[LossTerm, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the weights have ever changed: else gradients were only looked at."""
        return any(row.get(signals.WEIGHTS_MOVED) for row in self.rows)

    def add(self, loss: float, weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        """One call: the loss, the weights before the step, and their gradients."""
        if self.before is not None:
            self._add_row(weights)
            self.before, self.slopes = None, []
        if len(self.losses) < MOST_VALUES or self.count % (self.count // MOST_VALUES + 1) == 0:
            self.losses.append((self.count, loss))
        if self.count >= self.next:
            self.before = [w.detach().clone() for w in weights]
            self.slopes = [
                (g.mean(0) if g.dim() == w.dim() + 1 else g).detach().clone()
                for g, w in zip(gradients, weights, strict=True)
            ]
            self.next = self.count + Sampling().distance(self.count + 1)
        self.count += 1

    def _add_row(self, weights: Sequence[Tensor]) -> None:
        assert self.before is not None
        row: dict[str, Any] = {"step": self.count - 1}
        moved = [
            not torch.equal(new.detach(), old)
            for new, old in zip(weights, self.before, strict=True)
        ]
        for n in self.matrices:
            old, slope, first = self.before[n].double(), self.slopes[n].double(), self.start[n]
            step = weights[n].detach().double() - old
            size = float(old.norm())
            length, steep = float(step.norm()), float(slope.norm())
            name = self.names[n]
            if n in self.equal:
                equal = units_are_equal(weights[n].detach(), self.dims[n])
                row[f"{signals.UNITS_EQUAL}|{name}"] = float(equal)
            row[f"{signals.WEIGHT_NORM}|{name}"] = size
            row[f"{signals.GRADIENT_RMS}|{name}"] = steep / math.sqrt(slope.numel())
            if size > 0:
                row[f"{signals.UPDATE_RATIO}|{name}"] = length / size
                row[f"{signals.GRADIENT_RATIO}|{name}"] = steep / size
                away = float((weights[n].detach().double() - first.double()).norm())
                row[f"{signals.WEIGHT_DISTANCE}|{name}"] = away / max(size, float(first.norm()))
            if length > 0 and steep > 0:
                along = -float((step * slope).sum()) / (length * steep)
                row[f"{signals.STEP_DESCENT}|{name}"] = along
        row[signals.WEIGHTS_MOVED] = sum(moved) / len(moved)
        self.rows.append(row)


class FunctionalUpdates:
    """Records the gradients that a program computes as values, as long as it has no optimizer."""

    def __init__(self) -> None:
        self._calls: dict[Any, _Calls] = {}
        self._reading: tuple[LossTerm, ...] | None = None
        self._widened = ""

    def before(self, loss: Tensor, key: Any) -> None:
        """Read the graph of a loss, before its gradients are computed."""
        calls = self._calls.get(key)
        self._reading = None
        if calls is None or is_read(calls.reads):
            place = key[0] if isinstance(key[0], str) else ""
            self._reading = tuple(each.term for each in read_loss(loss, place).terms)
            self._widened = self._widened or read_graph(loss).widened
        if calls is not None:
            calls.reads += 1

    def after(
        self,
        loss: Tensor,
        inputs: Sequence[Any],
        gradients: Sequence[Any],
        key: Any,
        names: Callable[[], Mapping[int, str]],
    ) -> None:
        """Add a call with its gradients.

        Args:
            loss: of the call.
            inputs: what its gradient was asked for.
            gradients: what came.
            key: the place and the shapes.
            names: gives the names of tensors of the program, by id.
        """
        weights = [unwrapped(each) for each in inputs]
        slopes = [unwrapped(each) for each in gradients]
        calls = self._calls.get(key)
        if calls is None:
            if len(self._calls) >= MOST_PLACES:
                return
            calls = self._calls[key] = _Calls(weights, names(), [i.dim() for i in inputs])
        calls.add(float(unwrapped(loss).detach().float().mean()), weights, slopes)
        if self._reading is not None:
            old = calls.terms if len(calls.terms) == len(self._reading) else ()
            calls.terms = tuple(
                joined(old[n] if old else None, term) for n, term in enumerate(self._reading)
            )

    @property
    def steps(self) -> int:
        """Steps of the weights that changed most often, as far as they were watched."""
        return max((len(calls.rows) for calls in self._calls.values() if calls.changes), default=0)

    def forget(self) -> None:
        """Let go of all: the program has an optimizer, or `backward`."""
        self._calls = {}

    def histories(self, program: ProgramFacts) -> dict[str, History]:
        """The history of the weights that changed in most calls; {} where none did."""
        changed = [calls for calls in self._calls.values() if calls.changes]
        best = max(changed, key=lambda calls: calls.count, default=None)
        if best is None:
            return {}
        rows = [*best.rows, *({"step": n, signals.LOSS: value} for n, value in best.losses)]
        how = RUNNING if program.running else FINISHED
        history = History.from_rows(
            sorted(rows, key=lambda row: row["step"]),
            tuple(
                Layer(
                    best.names[n],
                    "Linear",
                    best.shapes[n][-1],
                    math.prod(best.shapes[n][:-1]),
                    equal_units=n in best.equal,
                )
                for n in best.matrices
            ),
            RunFacts(),
            RunEnd(how, f"{best.count} steps were recorded.", best.count),
            Provenance(device=program.device, seconds=round(program.seconds, 3)),
            Wiring(
                trainable=len(best.shapes),
                losses=best.terms,
                widened=self._widened,
                not_finite=program.not_finite,
                not_observed=dict.fromkeys(
                    ("optimizers", "evaluation", "in_no_optimizer", "not_reached", "mode"), NOT_SEEN
                ),
            ),
        )
        return {NAME: history}


def units_are_equal(weight: Tensor, axes: int) -> bool:
    """Whether all units of a network have the same weights, whichever of its outer axes is that of
    the units: `x @ w` and `x @ w.T` are both written. `weighted_layers.units_equal` reads no tensor
    inside of a `torch.func` transform, where these are compared.

    >>> import torch
    >>> units_are_equal(torch.zeros(2, 3), 2), units_are_equal(torch.arange(6.0).view(2, 3), 2)
    (True, False)
    """
    ends = {weight.dim() - axes, weight.dim() - 1}
    return any(
        weight.shape[axis] > 1 and bool((weight == weight.narrow(axis, 0, 1)).all())
        for axis in ends
    )


def is_training(inputs: Any) -> bool:
    """Whether gradients of these tensors may be a training step: of several tensors, one of which
    is a matrix, and not of an input alone. Those with which a compiler traces a program have types
    of their own.

    >>> import torch
    >>> is_training((torch.ones(2, 3), torch.ones(3))), is_training((torch.ones(2, 3),))
    (True, False)
    """
    if not isinstance(inputs, tuple | list) or len(inputs) < 2:
        return False
    tensors = [each for each in inputs if isinstance(each, Tensor) and each.is_floating_point()]
    if len(tensors) < len(inputs) or any(t.is_sparse or t.is_meta for t in tensors):
        return False
    if any(type(each) not in (Tensor, nn.Parameter) for each in tensors):
        return False
    return any(t.dim() > 1 for t in tensors) and sum(t.numel() for t in tensors) < MOST_NUMBERS
