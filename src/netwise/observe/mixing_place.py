"""Where in a forward pass values begin to depend on several samples: the layer, the operation and
the line of the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from netwise.first_batch import (
    ATTENTION,
    CONSTANT,
    NORM,
    OTHER,
    PRODUCT,
    RECURRENCE,
    SOFTMAX,
    STATISTICS,
    VIEW,
)
from netwise.observe.autograd_nodes import names
from netwise.observe.nested import tensors_in
from netwise.observe.program_place import program_place
from netwise.observe.sample_axes import difference, tolerance_of

_VIEWS = ("view", "reshape", "unflatten", "flatten", "_unsafe_view", "view_as", "reshape_as")
_SOFTMAXES = ("softmax", "log_softmax", "softmin", "gumbel_softmax")
_NORMS = ("batch_norm", "native_batch_norm", "instance_norm", "sync_batch_norm")
_STATISTICS = names(
    "mean nanmean var std var_mean std_mean sum nansum norm vector_norm linalg_vector_norm "
    "amax amin max min median logsumexp normalize"
)
_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell")
_ATTENTION = ("scaled_dot_product_attention", "multi_head_attention_forward")
_PRODUCTS = ("matmul", "mm", "bmm", "einsum", "baddbmm", "addmm", "linear", "bilinear")
_RELATIONS = ("sparse", "spmm", "scatter", "index_add", "index_select", "gather", "getitem")
_MOST_BYTES = 400_000_000  # of values that are kept to compare two passes


@dataclass(frozen=True)
class MixingPlace:
    """Where samples are mixed.

    Args:
        by: a name such as `VIEW`.
        layer: name of the innermost module; "" for the forward pass of the module itself.
        kind: its class.
        operation: such as "view from (50, 20, 3) to (20, 50, 3)".
        line: such as "train.py:14".
        alone: whether the layer takes one sequence without an axis of samples.
    """

    by: str
    layer: str = ""
    kind: str = ""
    operation: str = ""
    line: str = ""
    alone: bool = False


@dataclass
class _Operation:
    name: str
    layer: str
    kind: str
    line: str
    args: Any
    kwargs: Any
    inputs: list[Tensor]
    output: Tensor
    alone: bool


@dataclass
class _Trace(TorchFunctionMode):
    """The operations of one forward pass with copies of their results."""

    running: list[tuple[str, str, bool]]
    caller: str  # of the module: a line that is in none of its forward passes
    operations: list[_Operation] = field(default_factory=list)
    bytes: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        inputs = [_kept(t) for t in tensors_in(args) if t.is_floating_point()]
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name == "__get__" or self.bytes > _MOST_BYTES:
            return result
        output = next((t for t in tensors_in(result) if t.is_floating_point() and t.dim()), None)
        if output is not None:
            self.bytes += 2 * output.numel() * output.element_size()
            line = program_place()
            line = "" if line == self.caller else line
            layer, kind, alone = self.running[-1] if self.running else ("", "", False)
            self.operations.append(
                _Operation(
                    name, layer, kind, line, args, kwargs or {}, inputs,
                    output.detach().clone(), alone,
                )
            )  # fmt: skip
        return result


def _kept(tensor: Tensor) -> Tensor:
    """A value before the operation, which may change it; weights are not changed."""
    return tensor.detach() if isinstance(tensor, nn.Parameter) else tensor.detach().clone()


def find_mixing(
    module: nn.Module,
    call: Callable[[Any, Any], object],
    passes: Sequence[tuple[int, tuple[Any, Any]]],
    inputs: tuple[Any, Any],
    axis: int,
    samples: int,
) -> MixingPlace | None:
    """The first operation whose results depend on more than one sample; None where the operations
    do not show it.

    Args:
        module: the copy that `call` calls.
        call: runs the forward pass, always with the same random numbers.
        passes: two changed samples, each with the inputs in which it is changed.
        inputs: without a change.
        axis, samples: where samples lie in the inputs, and how many.
    """
    before = _traced(module, call, inputs)
    after = [_traced(module, call, changed) for _, changed in passes]
    names = [each.name for each in before]
    if len(after) < 2 or any([each.name for each in other] != names for other in after):
        return None
    scrambled: MixingPlace | None = None
    for number, operation in enumerate(before):
        others = [other[number] for other in after]
        if any(o.output.shape != operation.output.shape for o in others):
            return None
        if scrambled is None and operation.name in _VIEWS and operation.inputs:
            scrambled = _scrambled(operation, others, [sample for sample, _ in passes], samples)
        if _depend_on_both(operation.output, [o.output for o in others]):
            return scrambled or _place(operation, others)
    return scrambled


def _traced(
    module: nn.Module, call: Callable[[Any, Any], object], inputs: tuple[Any, Any]
) -> list[_Operation]:
    running: list[tuple[str, str, bool]] = []
    handles = []
    for name, part in module.named_modules():
        if name:
            handles += [
                part.register_forward_pre_hook(_enter(running, name)),
                part.register_forward_hook(_leave(running), always_call=True),
            ]
    trace = _Trace(running, program_place())
    try:
        with trace:
            call(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return trace.operations


def _enter(running: list[tuple[str, str, bool]], name: str) -> Callable[..., None]:
    def enter(module: nn.Module, args: Any) -> None:
        first = next(tensors_in(args), None)
        alone = first is not None and (first.dim() < 3 or 1 in first.shape[:2])
        running.append((name, type(module).__name__, alone))

    return enter


def _leave(running: list[tuple[str, str, bool]]) -> Callable[..., None]:
    def leave(module: nn.Module, args: Any, output: Any) -> None:
        running.pop()

    return leave


def _depend_on_both(before: Tensor, after: Sequence[Tensor]) -> bool:
    limit = tolerance_of(before)
    first, second = (difference(before, each) > limit for each in after[:2])
    return bool((first & second).any())


def _scrambled(
    operation: _Operation, others: Sequence[_Operation], changed: Sequence[int], samples: int
) -> MixingPlace | None:
    """Whether a change of shape spreads samples over several axes."""
    source = operation.inputs[0]
    for axis, size in enumerate(source.shape):
        if size != samples:
            continue
        rows = [
            difference(source, other.inputs[0]).movedim(axis, 0).flatten(1).amax(1).nonzero()
            for other in others
        ]
        if any(r.flatten().tolist() != [c] for r, c in zip(rows, changed, strict=False)):
            continue
        shape = [1] * source.dim()
        shape[axis] = size
        owner = torch.arange(size, device=source.device).view(shape).expand(source.shape)
        moved = owner.contiguous().view(operation.output.shape)
        if not _is_aligned(moved, samples):
            before, after = tuple(source.shape), tuple(operation.output.shape)
            text = f"{operation.name} from {before} to {after}"
            return MixingPlace(VIEW, operation.layer, operation.kind, text, operation.line)
    return None


def _is_aligned(owner: Tensor, samples: int) -> bool:
    """Whether the sample that each element is of follows from its place along one axis, or along
    axes into which the samples were split."""
    axes = range(owner.dim())
    for axis in axes:
        flat = owner.movedim(axis, 0).flatten(1)
        if bool((flat.amax(1) == flat.amin(1)).all()):
            return True
    for axis in axes[:-1]:
        if owner.shape[axis] * owner.shape[axis + 1] == samples:
            flat = owner.movedim((axis, axis + 1), (0, 1)).flatten(2)
            if bool((flat.amax(2) == flat.amin(2)).all()):
                return True
    return False


def _place(operation: _Operation, others: Sequence[_Operation]) -> MixingPlace:
    shape = tuple(operation.output.shape)
    text = f"{operation.name} of {shape}"
    by = _by(operation, others)
    if by == SOFTMAX:
        text = f"{operation.name} over axis {_axis_of(operation)} of {shape}"
    return MixingPlace(by, operation.layer, operation.kind, text, operation.line, operation.alone)


def _axis_of(operation: _Operation) -> int:
    dim = operation.kwargs.get("dim")
    if dim is None:
        dim = next((a for a in operation.args[1:] if type(a) is int), 0)
    return int(dim) % max(operation.output.dim(), 1)


def _by(operation: _Operation, others: Sequence[_Operation]) -> str:
    name, kind = operation.name.strip("_"), operation.kind
    if name in _SOFTMAXES:
        return SOFTMAX
    if name in _NORMS or "BatchNorm" in kind:
        return NORM
    if name in _RECURRENT or kind in ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"):
        return RECURRENCE
    if name in _ATTENTION or "Attention" in kind or "Transformer" in kind:
        return ATTENTION
    if any(each in name for each in _RELATIONS):
        return CONSTANT
    if name in _STATISTICS:
        return STATISTICS
    if name in _PRODUCTS:
        varied = [
            bool((difference(a, b) > 0).any())
            for a, b in zip(operation.inputs, others[0].inputs, strict=False)
            if a.shape == b.shape
        ]
        return CONSTANT if varied.count(True) < 2 and kind != "Linear" else PRODUCT
    return OTHER
