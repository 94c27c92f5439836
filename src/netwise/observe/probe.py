"""Hearing a module at work: what its layers give, what gradients they get, how far a step moves
them.

One probe serves netwise's own training and `watch`. It attaches hooks for the steps that are
watched and takes them off again; it draws no random number and changes none of the module's.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.history import Layer
from netwise.parts.activations import ACTIVATION_MODULES, KNOWN_FORMULAS
from netwise.tasks import BOUNDED, RECTIFIERS

CENSUS = 512  # samples that a unit has to stay silent for before it is called dead
WHOLE = "(network)"  # the name of a module that is a layer itself
EDGE = 0.025  # of its range: this near to a limit a bounded unit is saturated


class Probe:
    """Listens to one module, one watched step at a time: `attach`, forward, backward, `record`,
    step, `finish_step`."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._weights = weighted_layers(module)
        self._modules = {name or WHOLE: layer for name, layer in module.named_modules()}
        self.layers: tuple[Layer, ...] = ()  # known after the first watched step
        self._handles: list[Any] = []
        self._calls: list[tuple[str, Tensor | None]] = []  # (layer, its input), in order of use
        self._between: list[list[str]] = []  # kinds of the modules called after each of them
        self._raw: list[Tensor | None] = []  # outputs of the layers, for the first look only
        self._output: Tensor | None = None
        self._alive: dict[str, tuple[Tensor, int]] = {}
        self._row: dict[str, float] | None = None
        self._before: list[Tensor] = []
        self._trained: list[tuple[str, list[nn.Parameter]]] = []
        self._fresh: tuple[nn.Parameter, Tensor] | None = (
            None  # the last layer's weights, and what this backward pass gave them
        )

    @property
    def attached(self) -> bool:
        return bool(self._handles)

    @property
    def output(self) -> Tensor | None:
        """What the module gave on the step that is being heard."""
        return self._output

    def attach(self) -> None:
        """Attach, for the next forward pass."""
        if self._handles:
            return
        self._handles.append(self.module.register_forward_pre_hook(self._enter))
        first = not self.layers
        for name in self._weights:
            layer = self._modules[name]
            self._handles.append(layer.register_forward_hook(self._hook(name, first)))
        if first:
            others = [
                m
                for n, m in self._modules.items()
                if n not in self._weights and not list(m.children())
            ]
            self._handles += [m.register_forward_hook(self._pass) for m in others]
        self._handles.append(self.module.register_forward_hook(self._leave))
        last = next(
            (
                p
                for weights in reversed(list(self._weights.values()))
                for p in weights
                if p.requires_grad
            ),
            None,
        )
        if last is not None:
            self._handles.append(last.register_hook(lambda g, p=last: self._note_fresh(p, g)))

    def detach(self) -> None:
        """Take everything off the module again."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._calls, self._between, self._raw, self._output = [], [], [], None
        self._fresh = None

    def _note_fresh(self, parameter: nn.Parameter, gradient: Tensor) -> None:
        self._fresh = (parameter, gradient)

    def _enter(self, module: nn.Module, args: Any) -> None:
        if torch.is_grad_enabled():
            self._calls, self._between, self._raw, self._output = [], [], [], None

    def _leave(self, module: nn.Module, args: Any, output: Any) -> None:
        if torch.is_grad_enabled():
            said = _first_tensor(output)
            self._output = (
                said if said is None or said.dim() else None
            )  # a module that gives its own loss tells no outputs

    def _hook(self, name: str, first: bool) -> Any:
        def heard(module: nn.Module, args: Any, output: Any) -> None:
            if torch.is_grad_enabled():
                self._calls.append((name, _first_tensor(args)))
                if first:
                    raw = _first_tensor(output)
                    self._between.append([])
                    self._raw.append(
                        None if raw is None else raw.clone()
                    )  # an in-place activation would change it

        return heard

    def _pass(self, module: nn.Module, args: Any, output: Any) -> None:
        if torch.is_grad_enabled() and self._between:
            self._between[-1].append(type(module).__name__)

    def record(
        self, loss: Tensor | float, target: Tensor | None = None, penalty: Tensor | None = None
    ) -> None:
        """Take the numbers of the step whose backward pass has just ended, then take the hooks
        off."""
        row: dict[str, float] = {signals.LOSS: float(loss)}
        if penalty is not None:
            row[signals.PENALTY] = float(penalty)
        with torch.no_grad():
            if not self.layers and self._calls:
                self.layers = self._look()
            if target is not None and self._output is not None:
                right = share_right(self._output, target)
                if right is not None:
                    row[signals.ACCURACY] = right
            if target is not None and target.dim() == 1 and not target.is_floating_point():
                row[signals.BATCH_CLASSES] = float(len(target.unique()))
            self._hear_activations(row)
            self._hear_weights(row)
            if self._fresh is not None and self._fresh[0].grad is not None:
                # Equal where the gradient was cleared before this pass; a sum with older ones where
                # it was not.
                same = torch.equal(self._fresh[0].grad, self._fresh[1])
                if same or bool(
                    torch.isfinite(self._fresh[0].grad).all()
                ):  # what is no number equals nothing
                    row[signals.STALE] = float(not same)
        self._row = row
        self.detach()

    def finish_step(self) -> dict[str, float] | None:
        """The row of the last watched step, complete: called after the optimizer has moved the
        weights."""
        row, self._row = self._row, None
        if row is None:
            return None
        now = [p.detach() for _, weights in self._trained for p in weights]
        if now:
            torch._foreach_sub_(
                self._before, now
            )  # in place: the copies are not needed again, and have the norm either way
            moved = torch._foreach_norm(self._before)
            place = iter(float(m) for m in moved)
            for name, weights in self._trained:
                norm = row[f"{signals.WEIGHT_NORM}|{name}"]
                row[f"{signals.UPDATE_RATIO}|{name}"] = _ratio(
                    math.hypot(*(next(place) for _ in weights)), norm
                )
        self._before = []
        return row

    def _hear_activations(self, row: dict[str, float]) -> None:
        if not self._calls:
            return
        first = self._calls[0][1]
        if first is not None and first.is_floating_point():
            row[signals.INPUT_MEAN], row[signals.INPUT_STD] = moments(first)
        activation = {layer.name: layer.activation for layer in self.layers}
        given: dict[str, list[Tensor]] = {}
        for i, (name, _) in enumerate(self._calls):
            produced = self._calls[i + 1][1] if i + 1 < len(self._calls) else self._output
            if produced is not None and produced.is_floating_point() and produced.numel():
                given.setdefault(name, []).append(produced.detach())
        for name, pieces in given.items():
            a = (
                pieces[0]
                if len(pieces) == 1
                else torch.cat([piece.reshape(-1) for piece in pieces])
            )
            kind = activation.get(name, "")
            mean, std = moments(a)
            row[f"{signals.ACTIVATION_MEAN}|{name}"] = mean
            row[f"{signals.ACTIVATION_STD}|{name}"] = std
            row[f"{signals.ACTIVATION_ZEROS}|{name}"] = zeros(a)
            if kind in BOUNDED:
                low, high = BOUNDED[kind]
                middle, reach = (low + high) / 2, (high - low) * (0.5 - EDGE)
                row[f"{signals.ACTIVATION_SATURATED}|{name}"] = (
                    float((a - middle).abs_().gt(reach).float().sum()) / a.numel()
                )
            if kind in RECTIFIERS and len(pieces) == 1:
                self._count_dead(name, a, row)

    def _count_dead(self, name: str, a: Tensor, row: dict[str, float]) -> None:
        fires = (
            units(a, self._modules[name]).amax(0) > 0
        ).cpu()  # a rectifier gives nothing below 0; the census is kept on the host
        alive, seen = self._alive.get(name, (torch.zeros_like(fires), 0))
        if alive.shape != fires.shape:
            alive, seen = torch.zeros_like(fires), 0
        alive, seen = alive | fires, seen + len(a)
        if seen >= CENSUS:
            row[f"{signals.DEAD_UNITS}|{name}"] = 1 - float(alive.sum()) / alive.numel()
            alive, seen = torch.zeros_like(fires), 0
        self._alive[name] = (alive, seen)

    def _hear_weights(self, row: dict[str, float]) -> None:
        self._trained = []
        for name, weights in self._weights.items():
            live = [p for p in weights if p.grad is not None]
            if live:
                self._trained.append((name, live))
        flat = [p.detach() for _, live in self._trained for p in live]
        if not flat:
            return
        self._before = [p.clone() for p in flat]
        sizes = torch._foreach_norm(flat)
        grads = torch._foreach_norm(
            [p.grad for _, live in self._trained for p in live if p.grad is not None]
        )
        pairs = iter(zip((float(s) for s in sizes), (float(g) for g in grads), strict=True))
        for name, live in self._trained:
            both = [next(pairs) for _ in live]
            norm, grad = math.hypot(*(b[0] for b in both)), math.hypot(*(b[1] for b in both))
            row[f"{signals.WEIGHT_NORM}|{name}"] = norm
            row[f"{signals.GRADIENT_RMS}|{name}"] = grad / math.sqrt(sum(p.numel() for p in live))
            row[f"{signals.GRADIENT_RATIO}|{name}"] = _ratio(grad, norm)

    def _look(self) -> tuple[Layer, ...]:
        """The layers in order of use, each with the activation that its outputs were seen to go
        through."""
        found: dict[str, Layer] = {}
        for i, (name, _) in enumerate(self._calls):
            if name in found:
                continue
            produced = self._calls[i + 1][1] if i + 1 < len(self._calls) else self._output
            kind = _activation(
                self._raw[i], produced, self._between[i], last=i + 1 == len(self._calls)
            )
            found[name] = self._layer(name, kind)
        for name in self._weights:
            if name not in found:
                found[name] = self._layer(name, "")
        return tuple(found.values())

    def _layer(self, name: str, activation: str) -> Layer:
        layer, weights = self._modules[name], self._weights[name]
        outs, ins = weights[0].shape[0], weights[0][0].numel()
        trains = any(p.requires_grad for p in weights)
        equal = outs > 1 and all(bool((p == p[:1]).all()) for p in weights)
        return Layer(name, type(layer).__name__, ins, outs, activation, trains, equal)

    def snapshot(self) -> tuple[dict[str, tuple[Tensor, int]], tuple[Layer, ...]]:
        """The same as `memory`, as it is: no tensor of it is changed in place."""
        return dict(self._alive), self.layers

    def restore(self, snapshot: tuple[dict[str, tuple[Tensor, int]], tuple[Layer, ...]]) -> None:
        """Go on from what `snapshot` gave."""
        self._alive, self.layers = dict(snapshot[0]), snapshot[1]

    def state_dict(self) -> dict[str, Any]:
        """What has to survive a stop between two watched steps: the census of silent units, and the
        layers."""
        return {
            "alive": {
                name: ([int(v) for v in alive.tolist()], seen)
                for name, (alive, seen) in self._alive.items()
            },
            "layers": [vars(layer) for layer in self.layers],
        }

    def load_state_dict(self, memory: dict[str, Any]) -> None:
        """Go on from what `memory` gave."""
        self._alive = {
            name: (torch.tensor(alive, dtype=torch.bool), seen)
            for name, (alive, seen) in memory["alive"].items()
        }
        self.layers = tuple(Layer(**layer) for layer in memory["layers"])


def weighted_layers(module: nn.Module) -> dict[str, list[nn.Parameter]]:
    """The modules that hold weight matrices of their own, and these: names in order of
    registration.

    Norm layers (one-dimensional parameters) are none, nor is a container that merely holds a stray
    table beside its layers.
    """
    found: dict[str, list[nn.Parameter]] = {}
    for name, layer in module.named_modules():
        own = [p for p in layer.parameters(recurse=False) if p.dim() > 1]
        if own and (not list(layer.children()) or isinstance(layer, nn.MultiheadAttention)):
            found[name or WHOLE] = own
    return found


def share_right(output: Tensor, target: Tensor) -> float | None:
    """Accuracy of logits or scores `(samples, classes)` on class numbers `(samples,)`; None for
    other shapes."""
    if (
        output.dim() != 2
        or target.dim() != 1
        or target.is_floating_point()
        or len(output) != len(target)
    ):
        return None
    return float((output.argmax(1) == target).sum()) / max(len(target), 1)


def moments(a: Tensor) -> tuple[float, float]:
    """(mean, spread), by a sum and a dot product: a `std` costs many times as much."""
    flat = a.detach().reshape(-1).float()
    n = flat.numel()
    total, square = float(flat.sum()), float(torch.dot(flat, flat))
    mean = total / n
    if not math.isfinite(square):
        return mean, square
    return mean, math.sqrt(max(square / n - mean * mean, 0.0))


def zeros(a: Tensor) -> float:
    """Share of exact zeros. The squares of the signs count the rest: five times as fast as
    `count_nonzero`."""
    flat, n = a.detach().reshape(-1), a.numel()
    if n > 2**24:  # above it a float32 cannot count on
        return 1 - float(torch.count_nonzero(flat)) / n
    signs = flat.sign()
    rest = float(torch.dot(signs, signs))
    return 1 - rest / n if math.isfinite(rest) else 0.0


def units(a: Tensor, layer: nn.Module) -> Tensor:
    """Activations as (observations, units): the channels of maps, also where they were flattened,
    else the last axis."""
    if (
        a.dim() == 2
        and isinstance(layer, nn.Conv1d | nn.Conv2d)
        and a.shape[1] % layer.out_channels == 0
    ):
        a = a.reshape(len(a), layer.out_channels, -1)
        return a.transpose(1, 2).reshape(-1, a.shape[1])
    if a.dim() == 4:
        return a.permute(0, 2, 3, 1).reshape(-1, a.shape[1])
    return a.reshape(-1, a.shape[-1])


def _activation(raw: Tensor | None, produced: Tensor | None, between: list[str], last: bool) -> str:
    """Which formula lies between a layer's outputs and what the next one takes in; "" where it
    cannot be told."""
    named = [kind for kind in between if kind in ACTIVATION_MODULES]
    if named:
        return named[-1]
    if raw is None or produced is None or not produced.is_floating_point():
        return ""
    if raw.numel() == produced.numel():
        z, a = raw.detach().reshape(len(raw), -1), produced.detach().reshape(len(raw), -1)
        for name, formula in KNOWN_FORMULAS.items():
            if name in ("Softmax", "LogSoftmax") and not last:
                continue
            if torch.allclose(formula(z), a, rtol=1e-4, atol=1e-6):
                return name
    # A rectifier leaves exact zeros and nothing below, also behind a norm layer or under a pooling
    # one.
    low = float(produced.detach().min())
    if (
        low == 0
        and float(raw.detach().min()) < 0
        and 1 - float(torch.count_nonzero(produced)) / produced.numel() > 0.01
    ):
        return "ReLU"
    return ""


def _first_tensor(value: Any) -> Tensor | None:
    while isinstance(value, tuple | list) and value:
        value = value[0]
    return value if isinstance(value, Tensor) else None


def _ratio(part: float, whole: float) -> float:
    if whole > 0:
        return part / whole
    return 0.0 if part == 0 else math.inf
