"""The autograd graph behind a loss: the weights it reaches, its operations, and losses that mix
the samples of a batch.

Pure functions of a loss tensor whose backward pass has not run. They never run a forward pass of
the user, and keep neither nodes nor tensors beyond the call, except for the leaves they return.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from netwise.observe.autograd_nodes import (
    MARK as MARK,
    Node,
    head,
    is_opaque as is_opaque,
    operation as operation,
    saved as saved,
    shape_of as shape_of,
    signed as signed,
)
from netwise.observe.batch_axes import softmax_over_batch, widened
from netwise.observe.linearity import is_linear as is_linear
from netwise.observe.softmax_axes import softmax_beside_targets

MOST_NODES = 20_000


@dataclass(frozen=True)
class GraphReading:
    """What the graph behind a loss shows.

    Args:
        leaves: the tensors that its backward pass gives a gradient, by id. They are the user's:
            keep none of them.
        operations: how often each operation occurs.
        outputs: marks of outputs of modules that the loss uses: (id of the module, number).
        complete: whether all nodes were read; graphs of more than `MOST_NODES` are not.
        opaque: whether functions with a backward pass of their own, compiled ones or reentrant
            checkpoints are in the graph, which may hide weights and operations.
        widened: shapes before and after an accidental broadcast between outputs and targets; ""
            without one.
        softmax_over_batch: shape of a softmax over the samples of a batch, or as in
            `softmax_beside_targets`; "" without one.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> layer = nn.Linear(3, 1)
        >>> reading = read_graph(layer(torch.ones(4, 3)).sum())
        >>> sorted(tuple(leaf.shape) for leaf in reading.leaves.values())
        [(1,), (1, 3)]
    """

    leaves: dict[int, Tensor] = field(default_factory=dict)
    operations: Mapping[str, int] = field(default_factory=dict)
    outputs: frozenset[tuple[int, int]] = frozenset()
    complete: bool = True
    opaque: bool = False
    widened: str = ""
    softmax_over_batch: str = ""


def read_graph(loss: Tensor, most: int = MOST_NODES, axes: bool = True) -> GraphReading:
    """Reads the graph behind a loss before its backward pass.

    Args:
        loss: any value; without a graph the reading is empty.
        most: nodes that are read at most.
        axes: read `widened` and `softmax_over_batch` too.
    """
    root: Node = getattr(loss, "grad_fn", None)
    if root is None:
        is_leaf = getattr(loss, "requires_grad", False)
        return GraphReading(leaves={id(loss): loss} if is_leaf else {})
    leaves: dict[int, Tensor] = {}
    outputs: set[tuple[int, int]] = set()
    names: list[str] = []
    opaque = complete = False
    seen, waiting = {root}, [root]
    while waiting:
        node = waiting.pop()
        kind = operation(node)
        names.append(kind)
        if kind == "AccumulateGrad":
            leaf = node.variable
            leaves[id(leaf)] = leaf
            continue
        opaque = opaque or is_opaque(node)
        mark = node.metadata.get(MARK)
        if mark is not None:
            outputs.add(mark)
        for child, _ in node.next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                waiting.append(child)
        if len(seen) > most:
            break
    else:
        complete = True
    return GraphReading(
        leaves=leaves,
        operations=Counter(names),
        outputs=frozenset(outputs),
        complete=complete,
        opaque=opaque,
        widened=widened(head(root)) if axes else "",
        softmax_over_batch=(
            softmax_over_batch(root) or softmax_beside_targets(root) if axes else ""
        ),
    )
