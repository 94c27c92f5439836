"""Values that a loss of reinforcement learning should take as numbers, and that have a gradient:
the target of a Q function, and the advantage of a policy gradient."""

from __future__ import annotations

from collections import deque

from netwise.observe.autograd_nodes import (
    LAYERS,
    MOVES,
    PRODUCTS,
    Node,
    inputs_of,
    is_opaque,
    is_weight,
    leaf_of,
    names,
    nodes_below,
    operation,
    unwrapped,
)

TARGET, ADVANTAGE = "target", "advantage"
_MOST = 80  # nodes of a loss, and of each side
_MAXIMA = names("Max Amax")
_PICKS = names("Gather Index")
_DIFFERENCES = names("Sub MseLoss SmoothL1Loss HuberLoss")
# Of the values of actions, up to the layers that gave them.
_OF_VALUES = MOVES | _MAXIMA | names("Mul Add Div Where MaskedFill")
# Of the value of a state that is taken from a return.
_OF_STATES = MOVES | names("Mul Add Sub Rsub Neg Div")
_LOGARITHMS = names("LogSoftmax Log Logsumexp")


def undetached(root: Node) -> str:
    """`TARGET` where a difference is taken between picked outputs of a layer and the largest ones
    of another call of it, both with a gradient; `ADVANTAGE` where the log-probability of a picked
    action is multiplied by a value with a gradient; "" otherwise.

    >>> import torch
    >>> q = torch.nn.Linear(3, 2)
    >>> now, later, a = torch.ones(4, 3), torch.zeros(4, 3), torch.zeros(4, 1).long()
    >>> value, wanted = q(now).gather(1, a)[:, 0], 1 + 0.9 * q(later).max(1).values
    >>> [undetached((value - t).pow(2).mean().grad_fn) for t in (wanted, wanted.detach())]
    ['target', '']
    """
    for node in nodes_below(root, _MOST, LAYERS | PRODUCTS):
        kind = operation(node)
        sides = [child for child, _ in inputs_of(node)]
        if len(sides) != 2:
            continue
        if kind in _DIFFERENCES and _is_bootstrapped(sides):
            return TARGET
        if kind == "Mul" and _is_weighted_action(sides):
            return ADVANTAGE
    return ""


def _side(root: Node) -> tuple[set[str], set[Node]] | None:
    """The operations of a value and the layers that it is of; None where not all is known."""
    kinds: set[str] = set()
    layers: set[Node] = set()
    seen, waiting = {root}, deque([root])
    while waiting:
        node = waiting.popleft()
        kind = operation(node)
        if is_opaque(node) or len(seen) > _MOST or kind in PRODUCTS:
            return None
        if kind in LAYERS:
            layers.add(node)
            continue
        if not is_weight(node):
            kinds.add(kind)
        for child, _ in inputs_of(node):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return kinds, layers


def _weights(layers: set[Node]) -> set[int]:
    """The memory of the weights of layers."""
    leaves = [leaf_of(child) for layer in layers for child, _ in inputs_of(layer)]
    return {unwrapped(leaf).data_ptr() for leaf in leaves if leaf is not None}


def _is_bootstrapped(sides: list[Node]) -> bool:
    read = [_side(side) for side in sides]
    one, other = read
    if one is None or other is None:
        return False
    for (kinds, layers), (later_kinds, later_layers) in ((one, other), (other, one)):
        picks = bool(kinds & _PICKS) and not kinds & _MAXIMA
        if not picks or not later_kinds & _MAXIMA or not (kinds | later_kinds) <= _OF_VALUES:
            continue
        if layers and later_layers and not layers & later_layers:
            return bool(_weights(layers) & _weights(later_layers))
    return False


def _is_weighted_action(sides: list[Node]) -> bool:
    read = [_side(side) for side in sides]
    one, other = read
    if one is None or other is None:
        return False
    for (kinds, layers), (later_kinds, later_layers) in ((one, other), (other, one)):
        of_action = bool(kinds & _PICKS) and bool(kinds & _LOGARITHMS)
        if of_action and later_kinds <= _OF_STATES and later_kinds & {"Sub", "Rsub", "Neg"}:
            return bool(layers) and bool(later_layers) and not layers & later_layers
    return False
