"""The layers of a module in netwise's own training: the same signals as `Probe`, by hooks.

The hooks are attached for the steps that are recorded and removed afterwards. Where several layers
run in parallel, the next layer in the order of calls is taken for the one that uses an output, so
that histories of earlier versions keep their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NotRequired, TypedDict

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.history import Layer
from netwise.observe.call_record import CallRecord
from netwise.observe.layer_activations import (
    EDGE,
    ActiveUnits,
    accuracy_of,
    by_unit,
    dead_share,
    mean_and_std_of,
    nonzero,
    share_of_zeros,
)
from netwise.observe.layer_weights import ratio
from netwise.observe.nested import tensors_in
from netwise.observe.readable import Reads
from netwise.observe.weight_samples import Sample, WeightSamples, WeightSnapshot
from netwise.observe.weighted_layers import ROOT, layers_with_weights, own_matrices
from netwise.parts.activations import ACTIVATION_MODULES, KNOWN_FORMULAS
from netwise.schema import Count, SchemaError, typed
from netwise.tasks import BOUNDED, RECTIFIERS

# Layers that are nonlinear themselves: what follows them may be the identity, they are not.
_NONLINEAR = (nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)
_SAMPLES = ("start", "update", "gradient")  # samples of weights, by their names in checkpoints
ProbeSnapshot = tuple[ActiveUnits, tuple[Layer, ...], WeightSnapshot]


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
        self._row: dict[str, float] | None = None
        self._weights_before: list[Tensor] = []
        self._trained: list[tuple[str, list[nn.Parameter]]] = []
        self._samples = WeightSamples(later)
        self._reads = Reads()  # what goes into the row once the step has ended
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
        row: dict[str, float] = {}
        self._reads = Reads()
        for name, value in ((signals.LOSS, loss), (signals.PENALTY, penalty)):
            if isinstance(value, Tensor):
                self._reads.add([value], partial(_write_share, row, name, 1))
            elif value is not None:
                row[name] = float(value)
        with torch.no_grad():
            if not self.layers and self._calls:
                self.layers = self._layers_in_order_of_use()
            if target is not None and self._output is not None:
                accuracy = accuracy_of(self._output, target)
                if accuracy is not None:
                    row[signals.ACCURACY] = accuracy
            if target is not None and target.dim() == 1 and not target.is_floating_point():
                row[signals.BATCH_CLASSES] = float(len(target.unique()))
            self._record_activations(row)
            self._record_weights(row)
            self.compare_gradient()
            if self._stale is not None:
                row[signals.STALE] = float(self._stale)
        self._row = row
        self.detach()

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

    def finish_step(self) -> dict[str, float] | None:
        """The whole row of the last watched step, once the optimizer has changed the weights; None
        where no step was recorded since the last call."""
        row, self._row = self._row, None
        if row is None:
            return None
        reads, self._reads = self._reads, Reads()
        now = [p.detach() for _, weights in self._trained for p in weights]
        if now:
            # In place: the copies are not needed again, and the sign does not change the norm.
            torch._foreach_sub_(self._weights_before, now)
            changes_of = iter(torch._foreach_norm(self._weights_before))
            for name, weights in self._trained:
                reads.add([next(changes_of) for _ in weights], partial(_write_change, row, name))
            owners = [name for name, weights in self._trained for _ in weights]
            changes = zip(owners, self._weights_before, strict=True)
            self._samples.write(row, zip(owners, now, strict=True), changes, set(owners))
        self._weights_before = []
        reads.finish()
        return row

    def complete(self) -> None:
        """Write what the rows of earlier steps still lack."""
        self._samples.complete()

    def _first_input(self) -> Tensor | None:
        """The input of the first layer, or of the module where that has weights of its own, which
        may come before it; None where that is not known."""
        return self._given if self._has_own_weights else self._calls[0][1]

    def _record_activations(self, row: dict[str, float]) -> None:
        if not self._calls:
            return
        first = self._first_input()
        if first is not None and first.is_floating_point():
            names = (signals.INPUT_MEAN, signals.INPUT_STD)
            self._reads.add(*_moments(first, row, names))
        activation = {layer.name: layer.activation for layer in self.layers}
        outputs: dict[str, list[Tensor]] = {}  # a layer that is used again has several
        for i, (name, _) in enumerate(self._calls):
            output = self._activation_of_call(i)
            if output is not None and output.is_floating_point() and output.numel():
                outputs.setdefault(name, []).append(output.detach())
        for name, pieces in outputs.items():
            a = pieces[0]
            if len(pieces) > 1:
                a = torch.cat([piece.reshape(-1) for piece in pieces])
            kind = activation.get(name, "")
            both = (f"{signals.ACTIVATION_MEAN}|{name}", f"{signals.ACTIVATION_STD}|{name}")
            self._reads.add(*_moments(a, row, both))
            self._reads.add(*_zeros(a, row, f"{signals.ACTIVATION_ZEROS}|{name}"))
            if kind in BOUNDED:
                low, high = BOUNDED[kind]
                middle, reach = (low + high) / 2, (high - low) * (0.5 - EDGE)
                beyond = (a - middle).abs_().gt(reach).float().sum()
                key = f"{signals.ACTIVATION_SATURATED}|{name}"
                self._reads.add([beyond], partial(_write_share, row, key, a.numel()))
            if kind in RECTIFIERS and len(pieces) == 1:
                self._count_dead_units(name, a, row)

    def _activation_of_call(self, i: int) -> Tensor | None:
        """The activation of the i-th layer call: the input of the next one, or the output."""
        return self._calls[i + 1][1] if i + 1 < len(self._calls) else self._output

    def _count_dead_units(self, name: str, a: Tensor, row: dict[str, float]) -> None:
        """Count the units that were 0 for `DEAD_AFTER` samples, over as many steps as that needs.
        The counts are kept on the CPU."""
        active_now = (by_unit(a, self._modules[name]).amax(0) > 0).cpu()
        share, kept = dead_share(self._active_units.get(name), active_now, len(a))
        if share is not None:
            row[f"{signals.DEAD_UNITS}|{name}"] = share
        self._active_units[name] = kept

    def _record_weights(self, row: dict[str, float]) -> None:
        self._trained = []
        for name, weights in self._weights.items():
            live = [p for p in weights if p.grad is not None]
            if live:
                self._trained.append((name, live))
        flat = [p.detach() for _, live in self._trained for p in live]
        if not flat:
            return
        self._weights_before = [p.clone() for p in flat]
        sizes = torch._foreach_norm(flat)
        grads = torch._foreach_norm(
            [p.grad for _, live in self._trained for p in live if p.grad is not None]
        )
        self._samples.gradients(
            (name, p.grad) for name, live in self._trained for p in live if p.grad is not None
        )
        pairs = iter(zip(sizes, grads, strict=True))
        for name, live in self._trained:
            both = [each for _ in live for each in next(pairs)]
            count = sum(p.numel() for p in live)
            self._reads.add(both, partial(_write_norms, row, name, count))

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
        return dict(self._active_units), self.layers, self._samples.snapshot()

    def restore(self, snapshot: ProbeSnapshot) -> None:
        """Set the probe back to a `snapshot`."""
        self._active_units, self.layers = dict(snapshot[0]), snapshot[1]
        self._samples.restore(snapshot[2])

    def state_dict(self) -> dict[str, Any]:
        """The same as `snapshot` in plain values, for a checkpoint."""
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


def _moments(
    a: Tensor, row: dict[str, float], names: tuple[str, str]
) -> tuple[list[Tensor], Callable[[list[float]], None]]:
    """What to read for mean and standard deviation, by a sum and a dot product, which are many
    times faster than `std`; and what writes them."""
    flat = a.detach().reshape(-1).float()
    count = flat.numel()

    def write(sums: list[float]) -> None:
        row[names[0]], row[names[1]] = mean_and_std_of(count, *sums)

    return [flat.sum(), torch.dot(flat, flat)], write


def _zeros(
    a: Tensor, row: dict[str, float], name: str
) -> tuple[list[Tensor], Callable[[list[float]], None]]:
    count = a.numel()
    return [nonzero(a)], lambda v: row.update({name: share_of_zeros(count, v[0])})


def _write_share(row: dict[str, float], name: str, count: int, values: list[float]) -> None:
    row[name] = values[0] / count


def _write_norms(row: dict[str, float], name: str, count: int, values: list[float]) -> None:
    """Write the norms of the matrices of a layer: of weight and gradient in turn."""
    norm, grad = math.hypot(*values[::2]), math.hypot(*values[1::2])
    row[f"{signals.WEIGHT_NORM}|{name}"] = norm
    row[f"{signals.GRADIENT_RMS}|{name}"] = grad / math.sqrt(count)
    row[f"{signals.GRADIENT_RATIO}|{name}"] = ratio(grad, norm)


def _write_change(row: dict[str, float], name: str, norms: list[float]) -> None:
    norm = row[f"{signals.WEIGHT_NORM}|{name}"]
    row[f"{signals.UPDATE_RATIO}|{name}"] = ratio(math.hypot(*norms), norm)


def _first_tensor(value: Any) -> Tensor | None:
    while isinstance(value, tuple | list) and value:
        value = value[0]
    return value if isinstance(value, Tensor) else None
