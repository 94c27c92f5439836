"""The loss of single elements, recognised in the autograd graph: one of torch, or one written
with elementary operations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from netwise.observe.autograd_nodes import (
    LAYERS,
    MOVES,
    PRODUCTS,
    Node,
    constant_of,
    inputs_of,
    is_opaque,
    is_weight,
    names,
    only_input,
    operation,
    past_moves,
    saved,
    shape_of,
    signed,
)
from netwise.observe.loss_forms import hinge_parts, is_written_softmax, pair_parts
from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    HINGE,
    HINGE_OF_CLASSES,
    HUBER,
    KL_DIVERGENCE,
    LOGARITHM,
    OTHER_LOSS,
    SQUARED_ERROR,
)

LOSSES_OF_TORCH = {
    "NllLoss": CROSS_ENTROPY,
    "NllLoss2D": CROSS_ENTROPY,
    "MseLoss": SQUARED_ERROR,
    "BinaryCrossEntropy": BINARY_CROSS_ENTROPY,
    "BinaryCrossEntropyWithLogits": BINARY_CROSS_ENTROPY_OF_LOGITS,
    "SmoothL1Loss": HUBER,
    "HuberLoss": HUBER,
    "KlDiv": KL_DIVERGENCE,
    "CtcLoss": OTHER_LOSS,
    "CudnnCtcLoss": OTHER_LOSS,
    "SoftMarginLoss": HINGE,
    "MultiMarginLoss": HINGE_OF_CLASSES,
    "MultilabelMarginLoss": OTHER_LOSS,
}
# Losses that are the same where outputs and targets are exchanged, and those that are not.
OF_A_DIFFERENCE = ("MseLoss", "SmoothL1Loss", "HuberLoss")
OF_TWO_KINDS = ("BinaryCrossEntropy", "BinaryCrossEntropyWithLogits")
REDUCTIONS = {0: "none", 1: "mean", 2: "sum"}
# Operations that change no value but its shape or precision.
SAME_VALUES = names("ToCopy View UnsafeView Squeeze Unsqueeze Clone Alias Reshape ReshapeAlias T")
_COLUMNS = ("Squeeze", "Select", *SAME_VALUES)
_LONGEST_CHAIN = 40


@dataclass(frozen=True)
class Match:
    """A recognised loss of single elements, before they are averaged or summed.

    Args:
        operation: a name of `LOSS_OPERATIONS`, or "".
        node: the operation in the graph.
        source: the operation whose result is the input of the loss.
        by_hand: whether it is written with elementary operations.
        sign: -1 where the elements are log-probabilities, whose negative is the loss.
        output, target: as saved.
        residual: output - target, or target - output; then `residual_sign` is -1.
        elements: over how many elements a mean is taken.
        shape: of the outputs, where it is not that of the source.
        swapped: as in `LossTerm`.
    """

    operation: str
    node: Node
    source: Node | None
    by_hand: bool = True
    sign: int = 1
    output: Tensor | None = None
    target: Tensor | None = None
    residual: Tensor | None = None
    residual_sign: int = 1
    elements: int = 1
    shape: tuple[int, ...] = ()
    swapped: bool = False


def as_number(value: Any) -> float | None:
    """A number, or a tensor of one element, as a float; None for anything else."""
    if isinstance(value, Tensor):
        return float(value) if value.numel() == 1 and not value.is_meta else None
    return float(value) if isinstance(value, int | float) else None


def numel(shape: Sequence[int] | None) -> int:
    """Number of elements of a shape; 1 where it is not known."""
    return math.prod(shape) if shape else 1


def shape_of_input(node: Node) -> tuple[int, ...] | None:
    """Shape of the first input with a gradient."""
    inputs = inputs_of(node)
    return shape_of(*inputs[0]) if inputs else None


def match(node: Node) -> Match | None:
    """Recognises a loss of elements at a node; None where it is none."""
    kind = operation(node)
    if is_opaque(node):
        return None
    if kind in LOSSES_OF_TORCH:
        return _loss_of_torch(node, kind)
    if kind in ("Pow", "Abs", "Mul", "Square"):
        found = _residual_loss(node, kind)
        if found is not None:
            return found
    if kind in ("Clamp", "ClampMin", "Relu", "Maximum", "Pow"):
        return _hinge(node, kind)
    if kind in ("Mul", "Sub"):
        return _with_probabilities(node, kind)
    if kind == "Add":
        return _of_pairs(node) or _two_logarithms(node)
    if kind in ("Gather", "Index", "Log", "LogSoftmax", "LogSigmoid"):
        return _picked(node, kind)
    return None


def _loss_of_torch(node: Node, kind: str) -> Match:
    is_ctc = kind.endswith("CtcLoss")
    target = saved(node, "targets" if is_ctc else "target")
    reduction = saved(node, "reduction")
    elements = 1
    if reduction == 0 or is_ctc:
        elements = numel(shape_of(node))
    elif reduction == 2 and isinstance(target, Tensor):
        elements = target.numel()
        if kind.startswith("Nll"):
            elements = int((target != signed(saved(node, "ignore_index"))).sum())
    inputs = inputs_of(node)
    output = saved(node, "log_probs" if is_ctc else "self")
    target = target if isinstance(target, Tensor) else None
    is_second = kind in (*OF_A_DIFFERENCE, *OF_TWO_KINDS) and node.next_functions[0][0] is None
    if is_second:
        output, target = target, output
    is_compared = kind in OF_A_DIFFERENCE and len(inputs) > 1  # two outputs, with each other
    return Match(
        "" if is_compared else LOSSES_OF_TORCH[kind],
        node,
        inputs[0][0] if inputs else None,
        by_hand=False,
        output=output,
        target=None if is_compared else target,
        elements=elements,
        swapped=is_second and kind in OF_TWO_KINDS,
    )


def _hinge(node: Node, kind: str) -> Match | None:
    """max(0, 1 - t * o), also squared."""
    cut = only_input(node) if kind == "Pow" else node
    parts = None if cut is None else hinge_parts(cut)
    if parts is None:
        return None
    source, target = parts
    return Match(HINGE, node, source, target=target, elements=numel(shape_of(node)))


def _of_pairs(node: Node) -> Match | None:
    """A loss of cosines, of pairs that are alike or not."""
    parts = pair_parts(node)
    if parts is None:
        return None
    source, target = parts
    return Match(HINGE, node, source, by_hand=False, target=target, elements=numel(shape_of(node)))


def _residual_loss(node: Node, kind: str) -> Match | None:
    """(o - t)**2 and |o - t|."""
    inputs = inputs_of(node)
    if kind == "Mul" and not _is_square(node, inputs):
        return None
    if kind == "Pow" and as_number(saved(node, "exponent")) != 2:
        return None
    difference = inputs[0][0] if inputs else None
    if difference is None or operation(difference) not in ("Sub", "Rsub"):
        return None
    below = only_input(difference)
    if below is None:
        return None
    reversed_ = difference.next_functions[0][0] is None or operation(difference) == "Rsub"
    residual = saved(node, "self")
    return Match(
        ABSOLUTE_ERROR if kind == "Abs" else SQUARED_ERROR,
        node,
        below,
        by_hand=kind != "Abs",  # torch's own loss of absolute errors is made of these operations
        residual=residual if isinstance(residual, Tensor) else None,
        residual_sign=-1 if reversed_ else 1,
        elements=numel(shape_of(node)),
    )


def _is_square(node: Node, inputs: list[tuple[Node, int]]) -> bool:
    """Whether both factors are the same value, also where it was computed twice."""
    if len(inputs) != 2:
        return False
    if inputs[0][0] is inputs[1][0]:
        return True
    if operation(inputs[0][0]) != "Sub" or operation(inputs[1][0]) != "Sub":
        return False
    first, second = saved(node, "self"), saved(node, "other")
    return isinstance(first, Tensor) and isinstance(second, Tensor) and torch.equal(first, second)


def is_log_softmax(node: Node) -> bool:
    """A log-softmax, also as x - logsumexp(x)."""
    if operation(node) == "LogSoftmax":
        return True
    inputs = inputs_of(node) if operation(node) == "Sub" else []
    if len(inputs) != 2:
        return False
    sums = past_moves(inputs[1][0])
    return operation(sums) == "Logsumexp" and past_moves(sums.next_functions[0][0]) is past_moves(
        inputs[0][0]
    )


def _logarithm(node: Node) -> str:
    """Kind of loss of an element that is a log-probability; "" for any other value."""
    node = past_moves(node)
    if is_log_softmax(node):
        return CROSS_ENTROPY
    if operation(node) == "LogSigmoid":
        return BINARY_CROSS_ENTROPY_OF_LOGITS
    if operation(node) != "Log":
        return ""
    limits = ("Log", "Clamp", "ClampMin", "ClampMax", "Div")
    squashes = [kind for kind in chain_from(node) if kind not in limits]
    return CROSS_ENTROPY if squashes[:1] == ["Softmax"] else LOGARITHM


def _source_of(node: Node) -> Node | None:
    """Where the chain of a log-probability begins: at its logarithm."""
    return past_moves(node)


def _with_probabilities(node: Node, kind: str) -> Match | None:
    """t * log p, and the KL divergence t * (log t - log p)."""
    below = only_input(node)
    shape = shape_of(node)
    if below is None or not shape:
        return None
    if kind == "Sub":  # of a constant that torch computes from the target
        inner = only_input(below) if operation(below) == "Mul" else None
        if node.next_functions[0][0] is not None or inner is None:
            return None
        target = _constant_of(below)
        if target is None or target.numel() == 1 or tuple(target.shape) != shape:
            return None
        return Match(KL_DIVERGENCE, node, inner, by_hand=False, target=target, elements=_rows(node))
    constant = _constant_of(node)
    if constant is None or constant.numel() == 1:
        return None
    if operation(below) == "Sub" and below.next_functions[0][0] is None:
        inner = only_input(below)
        if inner is not None and _logarithm(inner):
            return Match(KL_DIVERGENCE, node, inner, target=constant, elements=_rows(node))
        return None
    if tuple(constant.shape) == shape and is_log_softmax_of_one_hot(constant):
        target = (constant == constant.amax(-1, keepdim=True)).to(constant.dtype)
        count = numel(shape) // shape[-1]
        return Match(
            CROSS_ENTROPY, node, below, sign=-1, target=target, elements=count, swapped=True
        )
    name = _logarithm(below)
    log = past_moves(below)
    if not name or name == BINARY_CROSS_ENTROPY_OF_LOGITS or shape_of(log) != shape:
        return None
    if len(shape) < 2 or tuple(constant.shape) != shape:
        return None
    return Match(
        name,
        node,
        log,
        sign=-1,
        output=saved(log, "self" if operation(log) == "Log" else "result"),
        target=constant,
        elements=numel(shape) // shape[_class_axis(log, shape)],
    )


def is_log_softmax_of_one_hot(values: Tensor) -> bool:
    """Whether each row is the log-softmax of a row with a single 1 among zeros.

    >>> is_log_softmax_of_one_hot(torch.eye(3).log_softmax(1))
    True
    """
    if values.dim() < 2 or values.shape[-1] < 2 or not values.is_floating_point():
        return False
    rows = values.float()
    above = rows - rows.amin(-1, keepdim=True)
    return bool(
        torch.allclose(above.sum(-1), above.new_ones(()), atol=1e-4)
        and torch.allclose(above.amax(-1), above.new_ones(()), atol=1e-4)
        and torch.allclose(rows.exp().sum(-1), above.new_ones(()), atol=1e-3)
    )


def _class_axis(log: Node, shape: tuple[int, ...]) -> int:
    axis = saved(log, "dim")
    return signed(axis) if isinstance(axis, int) and -len(shape) <= signed(axis) else -1


def _rows(node: Node) -> int:
    shape = shape_of(node)
    return shape[0] if shape else 1


def _constant_of(product: Node) -> Tensor | None:
    constant = constant_of(product)
    return constant if isinstance(constant, Tensor) else None


def _two_logarithms(node: Node) -> Match | None:
    """t * log p + (1 - t) * log(1 - p)."""
    inputs = inputs_of(node)
    if len(inputs) != 2 or not shape_of(node):
        return None
    sides = []
    for product, _ in inputs:
        log = only_input(product) if operation(product) == "Mul" else None
        constant = _constant_of(product) if log is not None else None
        if log is None or constant is None or operation(log) not in ("Log", "LogSigmoid"):
            return None
        turned = operation(past_shifts(only_input(log))) in ("Rsub", "Sub", "Neg")
        sides.append((turned, constant, log))
    if sides[0][0] == sides[1][0] or sides[0][1].shape != sides[1][1].shape:
        return None
    total = sides[0][1].float() + sides[1][1].float()  # both may be masks
    if not total.numel() or not bool(((total - 1).abs() < 1e-4).all()):
        return None
    _, target, log = next(side for side in sides if not side[0])
    name = BINARY_CROSS_ENTROPY if operation(log) == "Log" else BINARY_CROSS_ENTROPY_OF_LOGITS
    return Match(
        name,
        node,
        log if operation(log) == "Log" else only_input(log),
        sign=-1,
        target=target,
        output=saved(log, "self"),
        elements=numel(shape_of(node)),
    )


def past_shifts(node: Node | None) -> Node:
    """The operation before moves, limits and small constants that are added."""
    for _ in range(20):
        kind = operation(node) if node is not None else ""
        if kind not in MOVES and kind not in ("Add", "Clamp", "ClampMin", "ClampMax"):
            break
        below = only_input(node)
        if below is None:
            break
        node = below
    return node


def _picked(node: Node, kind: str) -> Match | None:
    """The log-probability of the right class, by an index."""
    name = _logarithm(node)
    if not name or name == BINARY_CROSS_ENTROPY_OF_LOGITS:
        return None
    picks = node if kind in ("Gather", "Index") else only_input(node)
    for _ in range(3):  # a column that was gathered, as a row
        below = None if picks is None or operation(picks) not in _COLUMNS else only_input(picks)
        picks = picks if below is None or shape_of(below) is None else below
    log = past_moves(node)
    target = picked_classes(picks) if picks is not None else None
    if target is None and name == CROSS_ENTROPY:
        return None  # a log-softmax alone is no loss of a target
    return Match(
        name,
        node,
        log,
        sign=-1,
        output=saved(log, "result"),
        target=target,
        elements=numel(shape_of(node)),
        shape=(shape_of_input(picks) or ()) if picks is not None else (),
    )


def picked_classes(node: Node) -> Tensor | None:
    """The classes that a gather or an index of pairs picks."""
    kind = operation(node)
    if kind == "Gather":
        index, axis = saved(node, "index"), saved(node, "dim")
        if isinstance(index, Tensor) and isinstance(axis, int) and index.dim():
            axis = signed(axis)
            return index.squeeze(axis) if index.shape[axis] == 1 else None
    if kind == "Index":
        indices = saved(node, "indices")
        if isinstance(indices, tuple) and len(indices) > 1:
            last = indices[-1]
            if isinstance(last, Tensor) and last.dtype != last.new_ones(1).bool().dtype:
                return last.detach()
    return None


def chain_from(node: Node | None) -> tuple[str, ...]:
    """Operations from a node back to the last layer with weights, nearest to the loss first;
    "?" where an operation hides what lies behind. Constant shifts, factors and moves of values
    are left out."""
    chain: list[str] = []
    for _ in range(3 * _LONGEST_CHAIN):
        if node is None or len(chain) >= _LONGEST_CHAIN:
            break
        if is_opaque(node):
            chain.append("?")
            break
        kind = operation(node)
        if kind == "AccumulateGrad":
            break
        inputs = inputs_of(node)
        if is_log_softmax(node) and kind == "Sub":
            kind, inputs = "LogSoftmax", inputs[:1]
        if is_written_softmax(node):
            kind, inputs = "Softmax", inputs_of(past_moves(inputs[0][0]))
        if len(inputs) == 2 and kind in ("Add", "Sub", "Mul", "Div"):  # a shift by a weight
            inputs = [each for each in inputs if not is_weight(each[0])] or inputs
        is_shift = kind in ("Add", "Sub", "Rsub", "Mul", "Div", "Neg") and len(inputs) == 1
        if kind not in MOVES and not is_shift:
            chain.append(kind)
        if kind in LAYERS or kind in PRODUCTS or not inputs:
            break
        node = inputs[0][0]
    return tuple(chain)
