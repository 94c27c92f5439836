"""The layers of a module in netwise's own training: the same signals as `Probe`, by hooks.

The hooks are attached for the steps that are recorded and removed afterwards. Where several layers
run in parallel, the next layer in the order of calls is taken for the one that uses an output, so
that histories of earlier versions keep their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np
import torch
from torch import Tensor, nn

from netwise import signals
from netwise.history import Layer
from netwise.observe.call_record import CallRecord
from netwise.observe.kept_steps import (
    Array,
    KeptSnapshot,
    KeptSteps,
    Measure,
    MeasurePlan,
    Packed,
    Row,
)
from netwise.observe.layer_activations import (
    DEAD_AFTER,
    ActiveUnits,
    flat_values,
    has_class_answers,
    highest_of_units,
    nonzero,
)
from netwise.observe.nested import tensors_in
from netwise.observe.step_signals import (
    saturation,
    write_accuracy,
    write_activation,
    write_classes,
    write_fresh,
    write_moments,
    write_norms,
    write_numbers,
)
from netwise.observe.weight_samples import (
    RawSample,
    Sample,
    WeightSamples,
    WeightSnapshot,
    gradient_samples,
    raw_sample,
)
from netwise.observe.weighted_layers import ROOT, layers_with_weights, own_matrices
from netwise.parts.activations import ACTIVATION_MODULES, KNOWN_FORMULAS
from netwise.schema import Count, SchemaError, typed
from netwise.tasks import BOUNDED, RECTIFIERS

MOST_COPIED = 2**12  # answers that are copied, and compared with the targets later
# Layers that are nonlinear themselves: what follows them may be the identity, they are not.
_NONLINEAR = (nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)
_SAMPLES = ("start", "update", "gradient")  # samples of weights, by their names in checkpoints
ProbeSnapshot = tuple[ActiveUnits, tuple[Layer, ...], KeptSnapshot, WeightSnapshot]


class HookedProbe:
    """Records one module, one watched step at a time: `attach`, forward, backward, `record`,
    optimizer step, `finish_step`.

    Args:
        module: that is trained.
        later: rows get some of their signals by `complete`, many together. Default: at once.
    """

    def __init__(self, module: nn.Module, later: bool = False) -> None:
        self.module = module
        self.layers: tuple[Layer, ...] = ()  # known after the first watched step
        self._weights = {name: own_matrices(layer) for name, layer in layers_with_weights(module)}
        self._modules = {name or ROOT: layer for name, layer in module.named_modules()}
        layered = {id(p) for weights in self._weights.values() for p in weights}
        self._has_own_weights = any(
            p.dim() > 1 and id(p) not in layered for p in module.parameters()
        )
        self._handles: list[Any] = []
        self._active_units: ActiveUnits = {}
        # Of the watched step: from the hooks.
        self._calls: list[tuple[str, Tensor | None]] = []  # (layer, its input), in order of use
        self._classes_after: list[list[str]] = []  # classes of the modules called after each layer
        self.connections: list[CallRecord] = []  # calls of layers, with and without gradients
        self._raw_outputs: list[Tensor | None] = []  # of the layers, on the first watched step only
        self._given: Tensor | None = None  # to a module with weights outside of layers
        self._output: Tensor | None = None
        # Of the watched step: between `record` and `finish_step`.
        self._row: Row | None = None
        self._measures: list[Measure] = []
        self._trained: list[tuple[str, list[nn.Parameter]]] = []
        self._norms: list[Sequence[Tensor]] = []  # of weights before the step, and of gradients
        self._weights_before: list[Tensor] = []
        self._gradients: tuple[RawSample | None, RawSample | None] = (None, None)
        # Of steps whose rows wait.
        self._later = later
        self._kept = KeptSteps()
        self._samples = WeightSamples()
        # The last layer's weights, and the gradient of this backward pass alone.
        self._last_gradient: tuple[nn.Parameter, Tensor] | None = None
        self._stale: bool | None = None

    @property
    def attached(self) -> bool:
        """Whether the next forward pass is recorded."""
        return bool(self._handles)

    @property
    def output(self) -> Tensor | None:
        """The module's output in the watched step; None where it is no tensor, or a loss."""
        return self._output

    def attach(self) -> None:
        """Register hooks for the next forward pass."""
        if self._handles:
            return
        self._handles.append(self.module.register_forward_pre_hook(self._before_forward))
        first = not self.layers
        for name in self._weights:
            layer = self._modules[name]
            self._handles.append(layer.register_forward_hook(self._layer_hook(name, first)))
        if first:
            others = [
                module
                for name, module in self._modules.items()
                if name not in self._weights and not list(module.children())
            ]
            self._handles += [m.register_forward_hook(self._after_other_module) for m in others]
        self._handles.append(self.module.register_forward_hook(self._after_forward))
        parameters = (p for weights in reversed(self._weights.values()) for p in weights)
        last = next((p for p in parameters if p.requires_grad), None)
        if last is not None:
            self._handles.append(last.register_hook(lambda g, p=last: self._keep_gradient(p, g)))

    def detach(self) -> None:
        """Remove all hooks, and drop what they have kept."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._forget_forward()
        self._last_gradient = self._stale = None

    def _forget_forward(self) -> None:
        self._calls, self._classes_after, self._raw_outputs = [], [], []
        self.connections = []
        self._output = self._given = None

    def _keep_gradient(self, parameter: nn.Parameter, gradient: Tensor) -> None:
        self._last_gradient = (parameter, gradient)

    def _before_forward(self, module: nn.Module, args: Any) -> None:
        if torch.is_grad_enabled():
            self._forget_forward()
            self._given = _first_tensor(args) if self._has_own_weights else None

    def _after_forward(self, module: nn.Module, args: Any, output: Any) -> None:
        if torch.is_grad_enabled():
            first = _first_tensor(output)
            is_loss = first is not None and not first.dim()  # of a module that computes its own
            self._output = None if is_loss else first

    def _layer_hook(self, name: str, first: bool) -> Any:
        def after_layer(module: nn.Module, args: Any, output: Any) -> None:
            self.connections.append(_connection(name, args, output))
            if torch.is_grad_enabled():
                self._calls.append((name, _first_tensor(args)))
                if first:
                    raw = _first_tensor(output)
                    self._classes_after.append([])
                    # A copy: an activation that works in place would change it.
                    self._raw_outputs.append(None if raw is None else raw.clone())

        return after_layer

    def _after_other_module(self, module: nn.Module, args: Any, output: Any) -> None:
        if torch.is_grad_enabled() and self._classes_after:
            self._classes_after[-1].append(type(module).__name__)

    def record(
        self, loss: Tensor | float, target: Tensor | None = None, penalty: Tensor | None = None
    ) -> None:
        """Record the step whose backward pass has just ended, and remove the hooks.

        Args:
            loss: of the batch, with its penalty.
            target: of the batch; with it the accuracy and the number of classes are recorded.
            penalty: its part of the loss.
        """
        row: Row = {}
        self._measures = self.before_update(loss, target, penalty)
        self.compare_gradient()
        if self._stale is not None:
            row[signals.STALE] = float(self._stale)
        self._row = row
        self.detach()

    @torch.no_grad()
    def before_update(
        self,
        loss: Tensor | float,
        target: Tensor | None,
        penalty: Tensor | None,
        is_fresh: bool = False,
    ) -> list[Measure]:
        """What is measured of a step before its optimizer changes the weights. Nothing is read, so
        that the operations can be repeated.

        Args:
            loss, target, penalty: as in `record`.
            is_fresh: `.grad` holds the gradient of this backward pass alone. Default: that is not
                known, and `compare_gradient` looks.
        """
        if not self.layers and self._calls:
            self.layers = self._layers_in_order_of_use()
        measures = [
            Measure(write_numbers, (torch.as_tensor(value),), (name,))
            for name, value in ((signals.LOSS, loss), (signals.PENALTY, penalty))
            if value is not None
        ]
        if target is not None and target.dim() == 1 and not target.is_floating_point():
            measures.append(Measure(write_classes, (target,)))
            if self._output is not None and has_class_answers(self._output, target):
                measures.append(_accuracy(self._output.detach(), target))
        measures += self._activation_measures()
        self._measure_weights()
        if is_fresh and self._norms:  # first, as in `record`: rows are the same to the byte
            measures.insert(0, Measure(write_fresh, (self._norms[1][-1],)))
        return measures

    def after_update(self) -> list[Measure]:
        """What is measured after it; follows `before_update`."""
        now = [p.detach() for _, weights in self._trained for p in weights]
        if not now:
            return []
        # In place: the copies are not needed again, and the sign does not change the norm.
        torch._foreach_sub_(self._weights_before, now)
        changes = torch._foreach_norm(self._weights_before)
        norms = zip(*self._norms, changes, strict=True)  # three of each matrix
        measures = []
        for name, weights in self._trained:
            count = sum(p.numel() for p in weights)
            of_layer = tuple(norm for _ in weights for norm in next(norms))
            measures.append(Measure(write_norms, of_layer, (name, count)))
        owners = [name for name, weights in self._trained for _ in weights]
        samples = (
            raw_sample(zip(owners, now, strict=True)),
            raw_sample(zip(owners, self._weights_before, strict=True)),
            *self._gradients,
        )
        there = tuple(each.values for each in samples if each is not None)
        kinds = tuple(None if each is None else each.kind for each in samples)
        measures.append(Measure(self._samples.write_steps, there, (frozenset(owners), kinds)))
        self._weights_before, self._gradients, self._norms = [], (None, None), []
        return measures

    def compare_gradient(self) -> None:
        """Look whether `.grad` holds more than the gradient of this backward pass. `record` does so
        where it was not asked for before something changed the gradients."""
        if self._last_gradient is None or self._last_gradient[0].grad is None:
            return
        parameter, gradient = self._last_gradient
        self._last_gradient = None
        same = torch.equal(parameter.grad, gradient)  # type: ignore[arg-type]
        # Numbers that are not finite equal nothing, so they tell nothing.
        if same or bool(torch.isfinite(parameter.grad).all()):  # type: ignore[arg-type]
            self._stale = not same

    def finish_step(self) -> Row | None:
        """The row of the last watched step, once the optimizer has changed the weights; None where
        no step was recorded since the last call."""
        row, self._row = self._row, None
        if row is None:
            return None
        self._kept.keep(row, [*self._measures, *self.after_update()])
        self._measures = []
        self._complete_some()
        return row

    def add_steps(self, rows: list[Row], plan: MeasurePlan, numbers: Packed) -> None:
        """Take steps that were measured elsewhere, as `KeptSteps.keep_packed`."""
        self._kept.keep_packed(rows, plan, numbers)
        self._complete_some()

    def _complete_some(self) -> None:
        if not self._later or self._kept.are_many:
            self.complete()

    def complete(self) -> None:
        """Write what the rows of earlier steps still lack."""
        self._kept.complete()

    def _first_input(self) -> Tensor | None:
        """The input of the first layer, or of the module where that has weights of its own, which
        may come before it; None where that is not known."""
        return self._given if self._has_own_weights else self._calls[0][1]

    def _activation_measures(self) -> Iterator[Measure]:
        if not self._calls:
            return
        first = self._first_input()
        if first is not None and first.is_floating_point():
            yield _moments(first.detach())
        activation = {layer.name: layer.activation for layer in self.layers}
        outputs: dict[str, list[Tensor]] = {}  # a layer that is used again has several
        for i, (name, _) in enumerate(self._calls):
            output = self._activation_of_call(i)
            if output is not None and output.is_floating_point() and output.numel():
                outputs.setdefault(name, []).append(output.detach())
        for name, pieces in outputs.items():
            a, kind = pieces[0], activation.get(name, "")
            if len(pieces) > 1:
                a = torch.cat([piece.reshape(-1) for piece in pieces])
            yield _activation(a, name, kind)
            if kind in RECTIFIERS and len(pieces) == 1:
                highest = highest_of_units(a, self._modules[name])
                yield Measure(self._count_dead_units, (highest,), (name, len(a)))

    def _activation_of_call(self, i: int) -> Tensor | None:
        """The activation of the i-th layer call: the input of the next one, or the output."""
        return self._calls[i + 1][1] if i + 1 < len(self._calls) else self._output

    def _count_dead_units(
        self, rows: Sequence[Row], arrays: Sequence[Array], name: str, samples: int
    ) -> None:
        """Count the units that were 0 for `DEAD_AFTER` samples, in as many steps as these need."""
        now = arrays[0] > 0  # (steps, units)
        before = self._active_units.get(name)
        active, seen = np.zeros(now.shape[1], dtype=bool), 0
        if before is not None and len(before[0]) == len(active):
            active, seen = before[0].numpy(), before[1]
        begin = 0
        while begin < len(now):
            end = min(len(now), begin + max(1, math.ceil((DEAD_AFTER - seen) / max(1, samples))))
            active, seen = active | now[begin:end].any(0), seen + samples * (end - begin)
            begin = end
            if seen >= DEAD_AFTER:
                rows[end - 1][f"{signals.DEAD_UNITS}|{name}"] = 1 - float(active.mean())
                active, seen = np.zeros_like(active), 0
        self._active_units[name] = (torch.from_numpy(active), seen)

    def _measure_weights(self) -> None:
        """Measure the weights that have gradients, and copy them."""
        self._trained = []
        for name, weights in self._weights.items():
            live = [p for p in weights if p.grad is not None]
            if live:
                self._trained.append((name, live))
        flat = [(name, p, p.grad) for name, live in self._trained for p in live]
        now = [p.detach() for _, p, _ in flat]
        gradients = [(name, gradient) for name, _, gradient in flat if gradient is not None]
        self._weights_before = [torch.empty_like(p).copy_(p) for p in now]
        self._norms, self._gradients = [], (None, None)
        if now:
            values = [gradient for _, gradient in gradients]
            self._norms = [torch._foreach_norm(now), torch._foreach_norm(values)]
            self._gradients = gradient_samples(gradients)

    def _layers_in_order_of_use(self) -> tuple[Layer, ...]:
        """The layers, each with the activation that its outputs go through; those that were not
        used last."""
        layers: dict[str, Layer] = {}
        for i, (name, _) in enumerate(self._calls):
            if name in layers:
                continue
            raw, activation = self._raw_outputs[i], self._activation_of_call(i)
            last = i + 1 == len(self._calls)
            kind = _activation_kind(raw, activation, self._classes_after[i], last)
            if kind == "Identity" and isinstance(self._modules[name], _NONLINEAR):
                kind = ""
            layers[name] = self._layer(name, kind)
        for name in self._weights:
            if name not in layers:
                layers[name] = self._layer(name, "")
        return tuple(layers.values())

    def _layer(self, name: str, activation: str) -> Layer:
        layer, weights = self._modules[name], self._weights[name]
        outs, ins = weights[0].shape[0], weights[0][0].numel()
        trains = any(p.requires_grad for p in weights)
        equal = outs > 1 and all(bool((p == p[:1]).all()) for p in weights)
        return Layer(name, type(layer).__name__, ins, outs, activation, trains, equal)

    def snapshot(self) -> ProbeSnapshot:
        """What the probe knows between two watched steps, for `restore`. No tensor in it is changed
        later."""
        kept, samples = self._kept.snapshot(), self._samples.snapshot()
        return dict(self._active_units), self.layers, kept, samples

    def restore(self, snapshot: ProbeSnapshot) -> None:
        """Set the probe back to a `snapshot`."""
        self._active_units, self.layers = dict(snapshot[0]), snapshot[1]
        self._kept.restore(snapshot[2])
        self._samples.restore(snapshot[3])

    def state_dict(self) -> dict[str, Any]:
        """The same as `snapshot` in plain values, for a checkpoint."""
        self.complete()
        return {
            "alive": {
                name: ([int(unit) for unit in active.tolist()], samples)
                for name, (active, samples) in self._active_units.items()
            },
            "layers": [vars(layer) for layer in self.layers],
            "samples": {
                name: [list(sample.layers), list(sample.sizes)]
                for name, sample in zip(_SAMPLES, self._samples.kept, strict=True)
                if sample is not None
            },
        }

    def tensors(self) -> dict[str, Tensor]:
        """The numbers of the samples of weights, for a checkpoint."""
        self.complete()
        return {
            name: torch.from_numpy(sample.numbers)
            for name, sample in zip(_SAMPLES, self._samples.kept, strict=True)
            if sample is not None
        }

    def load_state_dict(
        self, state: dict[str, Any], tensors: Mapping[str, Tensor] | None = None
    ) -> None:
        """Continue from a `state_dict`, and from `tensors`, which older checkpoints do not have.

        Raises:
            SchemaError: a value has another type, or the samples have other sizes than said.
        """
        plain: _PlainState = typed(_PlainState, state, "probe")
        self._active_units = {
            name: (torch.tensor(active, dtype=torch.bool), samples)
            for name, (active, samples) in plain["alive"].items()
        }
        self.layers = plain["layers"]
        samples = plain.get("samples", {})
        start, update, gradient = (
            _sample(name, *samples[name], tensors or {}) if name in samples else None
            for name in _SAMPLES
        )
        self._samples.kept = start, update, gradient


def _sample(
    name: str, layers: tuple[str, ...], sizes: tuple[int, ...], tensors: Mapping[str, Tensor]
) -> Sample:
    """A sample of weights from its parts in a checkpoint."""
    numbers = tensors[name].double().numpy() if name in tensors else None
    if numbers is None or numbers.shape != (sum(sizes),) or len(layers) != len(sizes):
        raise SchemaError(f"probe.samples.{name}", "has other sizes than its numbers")
    return Sample(layers, sizes, numbers)


class _PlainState(TypedDict):
    """What `HookedProbe.state_dict` returns."""

    alive: dict[str, tuple[tuple[int, ...], int]]  # for each unit 0 or 1, and the number of samples
    layers: tuple[Layer, ...]
    samples: NotRequired[dict[str, tuple[tuple[str, ...], tuple[Count, ...]]]]


def _activation_kind(
    raw: Tensor | None, output: Tensor | None, classes_after: list[str], last: bool
) -> str:
    """Which activation is between a layer's raw outputs and the input of the next layer; "" where
    it is not known."""
    named = [name for name in classes_after if name in ACTIVATION_MODULES]
    if named:
        return named[-1]
    if raw is None or output is None or not output.is_floating_point():
        return ""
    if raw.numel() == output.numel():
        z, a = raw.detach().reshape(len(raw), -1), output.detach().reshape(len(raw), -1)
        for name, formula in KNOWN_FORMULAS.items():
            if name in ("Softmax", "LogSoftmax") and not last:
                continue
            if torch.allclose(formula(z), a, rtol=1e-4, atol=1e-6):
                return name
    # With a norm or pooling layer between, a rectifier still leaves exact zeros and nothing below.
    low = float(output.detach().min())
    if (
        low == 0
        and float(raw.detach().min()) < 0
        and 1 - float(torch.count_nonzero(output)) / output.numel() > 0.01
    ):
        return "ReLU"
    return ""


def _connection(name: str, args: Any, output: Any) -> CallRecord:
    takes = any(t.requires_grad for t in tensors_in(args))
    return CallRecord(name, takes, any(t.requires_grad for t in tensors_in(output)), True)


def _accuracy(output: Tensor, target: Tensor) -> Measure:
    if output.numel() <= MOST_COPIED:
        return Measure(write_accuracy, (output, target))
    correct = (output.argmax(1) == target).sum()
    return Measure(write_numbers, (correct,), (signals.ACCURACY, max(len(target), 1)))


def _moments(a: Tensor) -> Measure:
    """Mean and standard deviation of the inputs."""
    flat = flat_values(a)
    names = (signals.INPUT_MEAN, signals.INPUT_STD)
    return Measure(write_moments, tuple(_sums(flat)), (names, len(flat)))


def _activation(a: Tensor, layer: str, kind: str) -> Measure:
    flat = flat_values(a)
    sums = [*_sums(flat), nonzero(flat)]
    if kind in BOUNDED:
        middle, reach = saturation(kind)
        sums.append((flat - middle).abs_().gt(reach).sum())
    return Measure(write_activation, tuple(sums), (layer, len(flat)))


def _sums(flat: Tensor) -> list[Tensor]:
    """Sum and sum of squares, which are many times faster than `std`."""
    wide = flat.float()
    return [wide.sum(), torch.dot(wide, wide)]


def _first_tensor(value: Any) -> Tensor | None:
    while isinstance(value, tuple | list) and value:
        value = value[0]
    return value if isinstance(value, Tensor) else None
