"""Where in a forward pass values begin to depend on several samples: the layer, the operation and
the line of the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

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
from netwise.observe.operations import Operation, traced
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
    before = traced(module, call, inputs)
    after = [traced(module, call, changed) for _, changed in passes]
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


def _depend_on_both(before: Tensor, after: Sequence[Tensor]) -> bool:
    limit = tolerance_of(before)
    first, second = (difference(before, each) > limit for each in after[:2])
    return bool((first & second).any())


def _scrambled(
    operation: Operation, others: Sequence[Operation], changed: Sequence[int], samples: int
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


def _place(operation: Operation, others: Sequence[Operation]) -> MixingPlace:
    shape = tuple(operation.output.shape)
    text = f"{operation.name} of {shape}"
    by = _by(operation, others)
    if by == SOFTMAX:
        text = f"{operation.name} over axis {_axis_of(operation)} of {shape}"
    return MixingPlace(by, operation.layer, operation.kind, text, operation.line, operation.alone)


def _axis_of(operation: Operation) -> int:
    dim = operation.kwargs.get("dim")
    if dim is None:
        dim = next((a for a in operation.args[1:] if type(a) is int), 0)
    return int(dim) % max(operation.output.dim(), 1)


def _by(operation: Operation, others: Sequence[Operation]) -> str:
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
