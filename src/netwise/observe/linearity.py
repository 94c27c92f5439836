"""Whether an output is one linear map of the inputs, read from its autograd graph."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from netwise.observe.autograd_nodes import (
    LAYERS,
    MOVES,
    PRODUCTS,
    SHOWS_HOOKS,
    Node,
    inputs_of,
    is_opaque,
    names,
    operation,
    saved,
)
from netwise.observe.readable import readable

# What an operation's result depends on.
_WEIGHTS, _CONSTANTS, _INPUTS = 0, 1, 2

# Linear in their input while the weights are fixed. A batch normalisation is, once its statistics
# are; so is dropout, whose mask is a constant.
_LINEAR_LAYERS = names(
    "Addmm Addbmm Addmv Linear MkldnnLinear MklLinear Convolution ConvolutionOverrideable "
    "SlowConv2D ConvDepthwise2D CudnnConvolution MiopenConvolution MkldnnConvolution "
    "Embedding EmbeddingBag NativeBatchNorm CudnnBatchNorm MiopenBatchNorm"
)
_LINEAR = MOVES | names(
    "Add Sub Rsub Neg Sum Mean Cumsum Trace Tril Triu NativeDropout FusedDropout AvgPool2D "
    "AvgPool3D AdaptiveAvgPool2D AdaptiveAvgPool3D UpsampleNearest1D UpsampleNearest2D "
    "UpsampleNearest3D UpsampleBilinear2D UpsampleLinear1D UpsampleBicubic2D "
    "UpsampleTrilinear3D ConstantPadNd ReflectionPad1D ReflectionPad2D ReplicationPad1D "
    "ReplicationPad2D Im2Col Col2Im PixelShuffle PixelUnshuffle Where MaskedFill IndexAdd "
    "ScatterAdd Scatter"
)
_CURVES = names(
    "Relu Tanh Sigmoid Gelu Softmax LogSoftmax Silu Elu Celu Selu LeakyRelu Prelu PreluKernel "
    "Hardtanh Hardswish Hardsigmoid Hardshrink Softshrink Softplus Mish LogSigmoid Threshold "
    "Glu RreluWithNoise Exp Expm1 Log Log1P Log2 Log10 Logsumexp Sqrt Rsqrt Reciprocal Abs "
    "Sin Cos Erf Atan Pow Maximum Minimum Max Min Amax Amin Clamp ClampMin ClampMax "
    "MaxPool2DWithIndices MaxPool3DWithIndices AdaptiveMaxPool2D AdaptiveMaxPool3D Sign Norm "
    "LinalgVectorNorm"
)
_PRODUCTS = PRODUCTS | {"Mul", "Div"}


def is_linear(output: Tensor, inputs: Sequence[Tensor] = (), most: int = 20_000) -> bool | None:
    """Whether an output is one linear map of the inputs, apart from a shift.

    Args:
        output: of a module, with the graph of its forward pass.
        inputs: of the module. Without them, what comes before the first layer that is trained
            counts as data, because frozen layers leave no trace in the graph.
        most: nodes that are read at most.

    Returns:
        True where all operations are linear, and products are products with weights or constants;
        False where one certainly is not; None where the graph does not show it.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> is_linear(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))(torch.ones(5, 3)))
        True
        >>> is_linear(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))(torch.ones(5, 3)))
        False
    """
    root: Node = getattr(output, "grad_fn", None)
    if root is None:
        return None
    order = _inputs_first(root, most)
    if order is None:
        return None
    memory = frozenset(_memory(each) for each in inputs)
    depends: dict[Node, int] = {}
    certain = True
    for node in order:
        answer = _reads(node, depends)
        if answer is False:
            return False
        certain = certain and answer is True and (not inputs or _reads_inputs(node, memory))
    return True if certain and depends[root] == _INPUTS else None


def _memory(value: Tensor) -> int:
    """Where a tensor is in memory; its views and reshaped forms are in the same place. Tensors
    without memory are in no place."""
    if readable(value) is None:
        return -1
    try:
        return value.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):
        return -1


def _reads_inputs(node: Node, memory: frozenset[int]) -> bool:
    """Whether the constant that a layer is applied to is an input of the module."""
    kind, edges = operation(node), node.next_functions
    if kind in LAYERS:
        place = 1 if kind in ("Addmm", "Addbmm", "Addmv") else 0
        saved_as: tuple[str, ...] = ("mat1", "batch1", "input", "indices")
    elif kind in ("Mm", "Bmm", "Mv"):
        place, saved_as = 0, ("self",)
    else:
        return True
    if "Embedding" not in kind and edges[place][0] is not None:
        return True
    values = [value for value in (_saved(node, name) for name in saved_as) if value is not None]
    places = {_memory(value) for value in values if isinstance(value, Tensor)}
    return bool((places & memory) - {-1})


def _saved(node: Node, name: str) -> object:
    """A saved value, where torch shows that reading it runs no forward pass again."""
    return saved(node, name) if SHOWS_HOOKS else None


def _inputs_first(root: Node, most: int) -> list[Node] | None:
    """All nodes, each after the nodes of its inputs; None where there are too many."""
    order: list[Node] = []
    entered: set[Node] = set()
    waiting = [(root, False)]
    while waiting:
        node, is_done = waiting.pop()
        if is_done:
            order.append(node)
        elif node not in entered:
            entered.add(node)
            if len(entered) > most:
                return None
            waiting.append((node, True))
            waiting += [(child, False) for child, _ in node.next_functions if child is not None]
    return order


def _reads(node: Node, depends: dict[Node, int]) -> bool | None:
    """Notes what a node depends on, and answers whether its operation is linear in the inputs;
    None where it is not known."""
    kind = operation(node)
    if kind == "AccumulateGrad":
        is_parameter = isinstance(getattr(node, "variable", None), nn.Parameter)
        depends[node] = _WEIGHTS if is_parameter else _INPUTS
        return True
    levels = [_CONSTANTS if child is None else depends[child] for child, _ in node.next_functions]
    depends[node] = level = max(levels, default=_CONSTANTS)
    if is_opaque(node):
        depends[node] = _INPUTS
        return None
    if kind in LAYERS:
        depends[node] = _INPUTS
        return kind in _LINEAR_LAYERS and _layer_is_linear(kind, levels)
    if kind in ("Mul", "Div") and _constant_factor(node, kind):
        depends[node] = max((depends[child] for child, _ in inputs_of(node)), default=_CONSTANTS)
        return True
    if level == _WEIGHTS or kind in _LINEAR:
        return True
    if kind in _PRODUCTS:
        if kind in ("Mm", "Bmm", "Baddbmm") and _WEIGHTS in levels:
            depends[node] = _INPUTS
        if kind == "Div" and levels[0] == _WEIGHTS:
            return False if levels[1] == _INPUTS else None
        return _product(levels[-2:])
    if level == _CONSTANTS:
        return None
    return False if kind in _CURVES or kind.startswith("ScaledDotProduct") else None


def _layer_is_linear(kind: str, levels: list[int]) -> bool | None:
    """Whether one operand of a layer is a weight. A constant beside outputs is a frozen weight."""
    if "Norm" in kind or "Embedding" in kind:
        return True
    operands = levels[:2] if "onvolution" in kind or "inear" in kind else levels[1:3]
    if _WEIGHTS in operands or sorted(operands) == [_CONSTANTS, _INPUTS]:
        return True
    return _product(operands)


def _product(levels: list[int]) -> bool | None:
    if _WEIGHTS in levels:
        return True
    return False if levels == [_INPUTS, _INPUTS] else None


def _constant_factor(node: Node, kind: str) -> bool:
    """Whether one factor is a number, or a constant with no more than two values (a mask)."""
    places = [place for place, (child, _) in enumerate(node.next_functions) if child is None]
    if len(places) != 1 and len(node.next_functions) != 1:
        return False
    if kind == "Div" and places == [0]:
        return False
    other = _saved(node, "other" if places in ([1], []) else "self")
    if not isinstance(other, Tensor):
        return isinstance(other, int | float)
    if other.numel() <= 1:
        return True
    if kind == "Div" or other.layout != torch.strided:
        return False
    values = other.reshape(-1)[:10_000]
    low, high = values.min(), values.max()
    return bool(((values == low) | (values == high)).all())
