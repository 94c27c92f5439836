"""What the layers of a module compute in training: their activations and gradients, and how far a
step changes their weights.

A `Probe` is called by an observer of a program, so no hook is on any module or tensor of the
program. It draws no random number and changes none of the module's.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.history import Layer
from netwise.observe.layer_activations import (
    ActivationStatistics,
    ActiveUnits,
    mean_and_std_of,
    sum_and_square,
)
from netwise.observe.layer_calls import PassFollower, PassReader, Plan
from netwise.observe.layer_weights import LayerWeights
from netwise.observe.nested import tensors_in
from netwise.observe.readable import readable, values_of

MOST_WAITING = 2**20  # numbers of activations that wait to be read, or to be measured
MOST_DEVIATIONS = 3  # after so many passes with other calls of layers, each pass is read anew


@dataclass(frozen=True, eq=False)
class _Activations:
    """What was measured of activations in a step, to be written into its row.

    Args:
        row: of the step.
        inputs: size, sum and sum of squares of the first layer's input; None where not known.
        statistics: of the layers' activations.
    """

    row: dict[str, float]
    inputs: tuple[int, list[Tensor]] | None
    statistics: ActivationStatistics | None

    def write(self) -> None:
        """Read the numbers, and write the signals."""
        row = self.row
        if self.inputs is not None:
            count, (total, square) = self.inputs[0], values_of(self.inputs[1])
            row[signals.INPUT_MEAN], row[signals.INPUT_STD] = mean_and_std_of(count, total, square)
        if self.statistics is not None:
            self.statistics.write(row)


class Probe:
    """The signals of one module's layers, one watched step at a time.

    An observer calls, as the program does the same: `forward_begins`, `module_called` for each
    module, `forward_ends`; `backward_ends`; `step_begins`, `step_ends`. Each of these may happen
    several times in a step, or not at all: the last one counts. After `step_ends` the probe holds
    names and counts only; the module, its layers and its parameters it holds weakly.

    Args:
        module: that is observed.
        later: rows get their signals by `complete`, many together. Default: at once.

    Example:
        >>> probe = Probe(nn.Linear(2, 1))
        >>> probe.step_ends()
        {}
    """

    def __init__(self, module: nn.Module, later: bool = False) -> None:
        self.layers: tuple[Layer, ...] = ()  # known after the first watched step
        self._module = weakref.ref(module)
        self._weights = LayerWeights(module, later)
        self._lazy = self._weights.has_lazy_layers
        self._active_units: ActiveUnits = {}
        self._plan: Plan | None = None
        self._deviations = 0
        self._kinds: dict[str, str] = {}  # of activations, by layer
        # Of the watched step.
        self._pass: PassReader | PassFollower | None = None
        self._statistics: ActivationStatistics | None = None
        # Of the first layer's input: whether it is still to come; its size, sum and sum of squares.
        self._awaits_input = False
        self._input: tuple[int, list[Tensor]] | None = None
        self._output: weakref.ref[Tensor] | None = None
        self.seen = False  # something of a step was seen
        self._later = later
        self._waiting: list[_Activations] = []
        self._waiting_numbers = 0

    @property
    def module(self) -> nn.Module | None:
        """The module; None once the program has dropped it."""
        return self._module()

    @property
    def output(self) -> Tensor | None:
        """The module's first output in the watched step that is no single number, while the program
        keeps it; else None."""
        return None if self._output is None else self._output()

    @property
    def gradient_norms(self) -> Mapping[int, Tensor]:
        """After `backward_ends`, the norm of each gradient by the identity of its parameter."""
        return self._weights.gradient_norms

    def forward_begins(self) -> None:
        """A forward pass of the module begins."""
        self._refresh()
        self._statistics = ActivationStatistics(self._active_units)
        self._awaits_input, self._input, self._output = True, None, None
        if self._plan is not None and self._deviations < MOST_DEVIATIONS:
            self._pass = PassFollower(self._plan, self._statistics)
        else:
            self._pass = PassReader(self._statistics, self._weights.owners())

    def module_called(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """A module in it, or any other one, has returned this output."""
        if self._pass is None:
            return
        layer = self._weights.layer(module)
        if layer is None:
            self._pass.other_called(module, (args, kwargs) if kwargs else args, output)
            return
        arguments = (args, kwargs) if kwargs else args
        if self._awaits_input:
            self._awaits_input = False
            first = next(tensors_in(arguments), None)
            dense = first is not None and first.layout is torch.strided
            values = readable(first) if first is not None and dense else None
            self._input = None if values is None else sum_and_square(values)
        self._pass.layer_called(layer.name, layer.linear, module, arguments, output)

    def forward_ends(self, output: Any) -> None:
        """The forward pass has returned this output: of any kind, None after an error in it."""
        reader, self._pass = self._pass, None
        if reader is None:
            return
        self.seen = True
        first = next((t for t in tensors_in(output) if t.dim()), None)
        self._output = None if first is None else weakref.ref(first)
        plan = reader.end(output)
        if isinstance(reader, PassFollower):
            if reader.deviates:
                self._deviations += 1
                self._plan = None
            return
        self._plan = plan if reader.complete else None
        if self._lazy:  # the layers had no weights yet, so none was known
            self._plan = None
            self._weights.refresh(parameters=True)
            self._lazy = self._weights.has_lazy_layers
        self._describe(plan)

    def backward_ends(self) -> None:
        """A backward pass has ended: the gradients of the module are those of this pass."""
        self.seen = True
        self._weights.backward_ends()

    def step_begins(self) -> None:
        """The optimizer is about to change the weights."""
        self.seen = True
        if self._statistics is None:
            self._refresh()
        if not self.layers:
            self._describe(Plan())
        trained = self._weights.step_begins([layer.name for layer in self.layers[:-1]])
        if any(not layer.trainable and layer.name in trained for layer in self.layers):
            self.layers = tuple(
                replace(layer, trainable=layer.trainable or layer.name in trained)
                for layer in self.layers
            )

    def step_ends(self, loss_scale: float = 1.0) -> dict[str, float]:
        """The optimizer has changed the weights: the row of the step; {} where nothing was seen.

        Args:
            loss_scale: by which the loss was multiplied before `backward`; gradients are divided
                by it.
        """
        if not self.seen:
            return {}
        if not self.layers:
            self._describe(Plan())
        row: dict[str, float] = {}
        self._waiting.append(_Activations(row, self._input, self._statistics))
        self._waiting_numbers += 0 if self._statistics is None else self._statistics.waiting
        if not self._later or self._waiting_numbers > MOST_WAITING:
            self._write_activations()
        self._weights.step_ends(row, loss_scale)
        self.forget()
        return row

    def _write_activations(self) -> None:
        waiting, self._waiting, self._waiting_numbers = self._waiting, [], 0
        for each in waiting:
            each.write()

    def complete(self) -> None:
        """Write what the rows of earlier steps still lack."""
        self._write_activations()
        self._weights.complete()

    def forget(self) -> None:
        """Drop what was kept of a step that has not ended."""
        self._pass, self._statistics, self._input, self._output = None, None, None, None
        self.seen = False
        self._weights.forget()

    def _refresh(self) -> None:
        """Read the layers again where the program has changed them."""
        if self._weights.refresh() and self.layers:
            self._plan = None
            self.layers = self._weights.described(list(self._kinds), self._kinds, {})

    def _describe(self, plan: Plan) -> None:
        """Update `layers` where a pass has shown layers or activations that were not known."""
        order, found = list(plan.widths), plan.activations
        known = all(self._kinds.get(name) or not kind for name, kind in found.items())
        if self.layers and known and all(name in self._kinds for name in order):
            return
        self._kinds = {
            name: self._kinds.get(name, "") or found.get(name, "")
            for name in dict.fromkeys([*self._kinds, *order])
        }
        self.layers = self._weights.described(
            list(self._kinds), self._kinds, plan.widths, plan.normalised
        )
