"""Nodes of torch's autograd graph: the name of their operation, their saved values and shapes.

Nothing here runs a forward pass of the user, changes a node, or keeps one alive.
"""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

Node: TypeAlias = Any  # torch's type of nodes lacks metadata, saved values and shapes

MARK = "netwise"  # key in `node.metadata`: (id of a module, number of its output)
CALL = "netwise_call"  # key in `node.metadata`: which call of a module its output is of

# Whether torch shows that a saved tensor is packed by hooks (2.13 does, 2.10 does not). A tensor
# saved inside of `torch.utils.checkpoint` is packed, and reading it runs the forward pass again.
SHOWS_HOOKS = hasattr(torch._C._autograd.SavedTensor, "unpack_hook")


def names(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# Operations of layers with weights.
LAYERS = names(
    "Addmm Addbmm Addmv Linear MkldnnLinear MklLinear Convolution ConvolutionOverrideable "
    "SlowConv2D ConvDepthwise2D CudnnConvolution MiopenConvolution MkldnnConvolution "
    "Embedding EmbeddingBag NativeBatchNorm CudnnBatchNorm MiopenBatchNorm NativeLayerNorm "
    "NativeGroupNorm FusedRmsNorm MkldnnRnnLayer CudnnRnn MiopenRnn ThnnFusedLstmCell "
    "ThnnFusedGruCell"
)
# Products of two matrices or vectors, with weights or without (attention, similarities).
PRODUCTS = names("Mm Bmm Mv Dot Baddbmm Vdot")
# Operations that only move, select or copy values.
MOVES = names(
    "View UnsafeView ReshapeAlias Reshape Squeeze Unsqueeze Transpose T Permute Slice Select "
    "Index IndexSelect Gather Alias Clone ToCopy Expand Cat Stack Narrow Split UnsafeSplit "
    "SplitWithSizes Unbind Contiguous Detach Flip Roll Repeat Movedim Diagonal MaskedSelect "
    "SwapAxes Unfold AsStrided Take TakeAlongDim"
)
_ENDING = re.compile(r"Backward\d*$")


@lru_cache(maxsize=4096)
def _operation(name: str) -> str:
    return _ENDING.sub("", name.rpartition("::")[2])


def operation(node: Node) -> str:
    """The operation that made a node, without torch's namespaces and numbers.

    >>> operation(torch.ones(2, requires_grad=True).exp().grad_fn)
    'Exp'
    """
    return _operation(node.name())


def is_opaque(node: Node) -> bool:
    """Whether a node hides the operations behind it: functions with a backward pass of their own,
    of `torch.compile` and of reentrant checkpoints, and changes in place of a part of a tensor."""
    return isinstance(node, BackwardCFunction) or operation(node) in ("CopySlices", "CppNode")


def saved(node: Node, name: str) -> Any:
    """A value that a node saved for its backward pass.

    Args:
        name: such as "self", "target" or "dim".

    Returns:
        Tensors detached. None where there is no such value, or it was freed by a backward pass,
        changed in place, or packed by hooks.

    >>> saved(torch.ones(2, requires_grad=True).exp().grad_fn, "result")
    tensor([2.7183, 2.7183])
    """
    try:
        if SHOWS_HOOKS:
            raw = getattr(node, f"_raw_saved_{name}", None)
            raws = raw if isinstance(raw, tuple | list) else (raw,)
            if any(getattr(each, "unpack_hook", None) is not None for each in raws):
                return None
        value = getattr(node, f"_saved_{name}", None)
    except RuntimeError:
        return None
    return unwrapped(value.detach()) if isinstance(value, Tensor) else value


def unwrapped(tensor: Tensor) -> Tensor:
    """The values of a tensor inside of `torch.func.grad` and `vmap`, of all samples together; any
    other tensor as it is.

    >>> torch.func.vmap(lambda row: torch.tensor(unwrapped(row).shape))(torch.ones(2, 3))[0]
    tensor([2, 3])
    """
    while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
    return tensor


def may_be_packed(node: Node) -> bool:
    """Whether reading a node could run a forward pass again, where torch does not show it: the
    last operation of a module, and all behind it."""
    return not SHOWS_HOOKS and MARK in node.metadata


def saved_tensors(node: Node) -> dict[str, Tensor]:
    """All saved tensors of a node of torch's own operations that can be read, by name."""
    names = (name[7:] for name in dir(node) if name.startswith("_saved_"))
    values = {name: saved(node, name) for name in names if name != "tensors"}
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def signed(number: int) -> int:
    """An integer that a node saved as unsigned, such as -100.

    >>> signed(2**64 - 100)
    -100
    """
    return number - 2**64 if number >= 2**63 else number


def shape_of(node: Node, number: int = 0) -> tuple[int, ...] | None:
    """Shape of the output `number` of an operation; None where it is not known.

    >>> shape_of(torch.ones(2, 3, requires_grad=True).exp().grad_fn)
    (2, 3)
    """
    try:
        return tuple(node._input_metadata[number].shape)
    except (AttributeError, IndexError, RuntimeError):
        return None


def inputs_of(node: Node) -> list[tuple[Node, int]]:
    """The operations that made the inputs of a node that require a gradient, and which of their
    outputs these are."""
    return [(child, number) for child, number in node.next_functions if child is not None]


def only_input(node: Node) -> Node | None:
    """The operation that made the only input with a gradient; None where there are several."""
    found = None
    for child, _ in node.next_functions:
        if child is not None:
            if found is not None:
                return None
            found = child
    return found


def constant_of(node: Node) -> Any:
    """What a product or a quotient has beside its only input with a gradient; None where it is not
    saved.

    >>> import torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> [float(constant_of(value.grad_fn)) for value in (x * 3, 3 * x)]
    [3.0, 3.0]
    """
    return saved(node, "other" if node.next_functions[0][0] is not None else "self")


def past_moves(node: Node) -> Node:
    """The operation whose values are only moved or selected to give a node's result."""
    for _ in range(20):
        below = only_input(node) if operation(node) in MOVES else None
        if below is None:
            break
        node = below
    return node


def leaf_of(node: Node) -> Tensor | None:
    """The leaf that a node is, or that it transposes or reshapes; None for any other node."""
    for _ in range(4):
        if operation(node) == "AccumulateGrad":
            leaf: Tensor = node.variable
            return leaf.detach()
        child = only_input(node) if operation(node) in MOVES else None
        if child is None:
            return None
        node = child
    return None


def is_weight(node: Node) -> bool:
    """Whether a node is a leaf, or a transposed or reshaped one."""
    return leaf_of(node) is not None


def nodes_below(root: Node, most: int, ends: frozenset[str] = LAYERS) -> list[Node]:
    """Nodes from a root down to operations where it ends, breadth first.

    Args:
        root: the first one.
        most: nodes.
        ends: operations that are not among them, nor what is below them.

    >>> import torch
    >>> loss = torch.nn.Linear(3, 2)(torch.ones(4, 3)).exp().sum()
    >>> [operation(node) for node in nodes_below(loss.grad_fn, 9)]
    ['Sum', 'Exp']
    """
    found: list[Node] = []
    seen, waiting = {root}, deque([root])
    while waiting and len(found) < most:
        node = waiting.popleft()
        if operation(node) in ends or is_opaque(node):
            continue
        found.append(node)
        for child, _ in inputs_of(node):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return found


def head(loss: Node, most: int = 200) -> dict[Node, Node | None]:
    """Nodes between a loss and the last layers with weights, breadth first, each with the node
    that it was reached from. The layers themselves are left out."""
    found: dict[Node, Node | None] = {}
    seen = {loss}
    waiting: deque[tuple[Node, Node | None]] = deque([(loss, None)])
    while waiting and len(seen) <= most:
        node, parent = waiting.popleft()
        kind = operation(node)
        if kind in LAYERS or kind in PRODUCTS or kind == "AccumulateGrad":
            continue
        if parent is not None and may_be_packed(node):
            continue
        found[node] = parent
        for child, _ in node.next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                waiting.append((child, node))
    return found
