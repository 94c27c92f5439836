"""Why a loss or a gradient is not finite, read from the values that the autograd graph saved."""

from __future__ import annotations

import math
from collections import deque

import torch
from torch import Tensor

from netwise.observe.autograd_nodes import (
    MOVES,
    Node,
    head,
    inputs_of,
    is_opaque,
    leaf_of,
    may_be_packed,
    names,
    operation,
    saved,
    saved_tensors,
    signed,
)

_MOST_NODES = 20_000
_MOST_RISKY = 24
# Saved values that are results of the operation and not its inputs.
_RESULTS = ("result", "output", "total_weight", "rstd", "mean", "invstd", "logsumexp", "buffer")
# Operations with a limited domain, and the values outside of it.
_DOMAINS = {
    "Log": "below 0",
    "Log2": "below 0",
    "Log10": "below 0",
    "Rsqrt": "below 0",
    "Acos": "outside of -1 to 1",
    "Asin": "outside of -1 to 1",
}
# Operations whose derivative is infinite at 0 (or at -1 and 1), and the value that shows it.
_RISKY = {
    "Sqrt": ("result", "exactly 0"),
    "Log": ("self", "exactly 0"),
    "Log2": ("self", "exactly 0"),
    "Log10": ("self", "exactly 0"),
    "Log1P": ("self", "exactly -1"),
    "Rsqrt": ("result", "infinite"),
    "Reciprocal": ("result", "infinite"),
    "Exp": ("result", "infinite"),
    "Pow": ("self", "exactly 0"),
    "Div": ("other", "exactly 0"),
    "Acos": ("self", "exactly -1 or 1"),
    "Asin": ("self", "exactly -1 or 1"),
    "Atan2": ("self", "exactly 0"),
}


# Operations that make an error of a difference, and keep it for their backward pass.
_OF_DIFFERENCES = names("Pow Square Abs Mul")
# Operations that give finite values for finite inputs.
_KEEP_FINITE = MOVES | names(
    "LogSoftmax Softmax Sigmoid LogSigmoid Relu Tanh Gelu Silu LeakyRelu Elu Clamp Neg Abs Mean "
    "MaxPool2DWithIndices"
)


def cause_of_loss(loss: Tensor) -> str:
    """Why a loss is not finite, before its backward pass.

    Args:
        loss: that is infinite or no number.

    Returns:
        Such as "Log of -0.367"; "" where it is not known.

    Example:
        >>> import torch
        >>> cause_of_loss(torch.tensor([-0.5, 1.0], requires_grad=True).log().sum())
        'Log of -0.5'
    """
    return cause_and_operation(loss)[0]


def cause_and_operation(loss: Tensor) -> tuple[str, str]:
    """`cause_of_loss`, and the operation where it is one between the outputs and the loss that can
    fail at outputs of usual size; "" for any other.

    >>> cause_and_operation(torch.tensor([-0.5, 1.0], requires_grad=True).log().sum())
    ('Log of -0.5', 'Log')
    """
    root: Node = getattr(loss, "grad_fn", None)
    if root is None or loss.is_meta:
        return "", ""
    with torch.no_grad():
        return _cause(root)


def operations_of_loss(loss: Tensor) -> frozenset[str]:
    """Risky operations between the last layers and a loss."""
    root: Node = getattr(loss, "grad_fn", None)
    if root is None or loss.is_meta:
        return frozenset()
    return frozenset(operation(node) for node in head(root)) & _RISKY.keys()


def _cause(root: Node) -> tuple[str, str]:
    nodes = _nodes(root)
    masked = next((text for text in map(_all_ignored, nodes) if text), "")
    if masked:
        return masked, ""
    bad_weights, largest = _weights(nodes)
    if bad_weights:
        return bad_weights, ""
    data = next((text for text in map(_bad_data, reversed(nodes)) if text), "")
    if data:
        return data, ""
    target = next((text for text in map(_bad_target, reversed(nodes)) if text), "")
    if target:
        return target, ""
    place, node = _deepest(root)
    if largest > 1e8:
        runaway = f"the weights have grown to {largest:.3g}"
        return (f"{place}; {runaway}" if place else runaway), ""
    return place, _operation_of_loss(root, node)


def _operation_of_loss(root: Node, node: Node | None) -> str:
    """The operation of a node between the last layers and the loss. An exponential counts where it
    is divided or its logarithm is taken, as in a softmax that is written out."""
    above = head(root)
    kind = operation(node) if node in above else ""
    if kind == "Exp":
        parent = above[node]
        while parent is not None and operation(parent) not in ("Div", "Log"):
            parent = above[parent]
        return kind if parent is not None else ""
    return kind if kind in _RISKY else ""


def _nodes(root: Node) -> list[Node]:
    """Nodes from the loss on, breadth first. Where torch does not show that a saved tensor is
    packed, only those between the loss and outputs of modules."""
    found, seen = [root], {root}
    for node in found:
        if len(found) > _MOST_NODES:
            break
        for child, _ in inputs_of(node):
            if child not in seen and not may_be_packed(child):
                seen.add(child)
                found.append(child)
    return found


def _is_finite(value: Tensor) -> bool:
    if not value.is_floating_point() and not value.is_complex():
        return True
    if value.is_sparse or value.is_meta:
        return True
    return bool(torch.isfinite(value).all())


def _all_ignored(node: Node) -> str:
    if not operation(node).startswith("NllLoss") or saved(node, "reduction") != 1:
        return ""
    target, ignored = saved(node, "target"), saved(node, "ignore_index")
    if not isinstance(target, Tensor):
        return ""
    if not target.numel():
        return "a mean over no targets: the batch is empty"
    if isinstance(ignored, int) and bool((target == signed(ignored)).all()):
        return (
            f"all {target.numel()} targets are ignore_index = {signed(ignored)}: "
            "a mean over no targets"
        )
    return ""


def _weights(nodes: list[Node]) -> tuple[str, float]:
    """Weights that are not finite, and the largest absolute value of all."""
    largest = 0.0
    for node in nodes:
        if operation(node) != "AccumulateGrad":
            continue
        leaf = node.variable.detach()
        if leaf.is_sparse or leaf.is_meta or not leaf.numel() or not leaf.is_floating_point():
            continue
        high = float(leaf.abs().max())
        if not _is_finite(leaf):
            count = int((~torch.isfinite(leaf)).sum())
            half = " in float16" if leaf.dtype == torch.float16 else ""
            what = f"a weight {tuple(leaf.shape)}{half}"
            return f"{_count(count, leaf)} of {what} are not finite", high
        largest = max(largest, high)
    return "", largest


def _count(count: int, values: Tensor) -> str:
    return f"{count} of {values.numel()} values"


def _bad_data(node: Node) -> str:
    """Data that are not finite: a constant input of an operation."""
    if is_opaque(node):
        return ""
    edges = node.next_functions
    for name, place in (("mat1", 1), ("input", 0), ("self", 0), ("other", 1), ("mat2", 1)):
        if place < len(edges) and edges[place][0] is None:
            value = saved(node, name)
            if isinstance(value, Tensor) and value.numel() > 1 and not _is_finite(value):
                count = int((~torch.isfinite(value)).sum())
                return (
                    f"{_count(count, value)} of the data are not finite "
                    f"(input of {operation(node)}, {tuple(value.shape)})"
                )
    target = saved(node, "target")
    if isinstance(target, Tensor) and target.numel() and not _is_finite(target):
        count = int((~torch.isfinite(target)).sum())
        return f"{_count(count, target)} of the targets are not finite"
    return ""


def _bad_target(node: Node) -> str:
    """Targets that are no numbers, of which torch keeps the difference from the outputs alone."""
    if operation(node) not in _OF_DIFFERENCES or is_opaque(node):
        return ""
    value, below = saved(node, "self"), node.next_functions[0][0]
    if not isinstance(value, Tensor) or below is None or operation(below) not in ("Sub", "Rsub"):
        return ""
    outputs = inputs_of(below)
    if len(outputs) != 1 or may_be_packed(outputs[0][0]):
        return ""
    # Outputs are finite, where all that they were computed from is, and no infinite numbers are
    # among their differences.
    known = _inputs_and_results(outputs[0][0])
    bad = value.isnan()
    is_known = bool(known[0]) and all(_is_finite(v) for part in known for v in part.values())
    if not is_known or not bool(bad.any()) or bool(value.isinf().any()):
        return ""
    return f"{_count(int(bad.sum()), value)} of the targets are not finite"


def _deepest(root: Node) -> tuple[str, Node | None]:
    """The operation farthest from the loss whose inputs are finite and whose result is not."""
    deepest, cause, place = -1, "", None
    seen = {root}
    waiting = deque([(root, 0, True)])
    while waiting and len(seen) <= _MOST_NODES:
        node, depth, is_bad = waiting.popleft()
        if is_opaque(node) or operation(node) == "AccumulateGrad":
            continue
        if depth and may_be_packed(node):
            continue
        inputs, results = _inputs_and_results(node)
        are_finite = all(map(_is_finite, inputs.values()))
        is_bad = is_bad or not all(map(_is_finite, results.values()))
        below = inputs_of(node)
        text = _description(node, inputs, results) if are_finite else ""
        if not text and is_bad and inputs and are_finite:
            text = _overflow(node, inputs)
        if text and depth > deepest:
            deepest, cause, place = depth, text, node
        keeps = is_bad and len(below) == 1 and (not are_finite or operation(node) in _KEEP_FINITE)
        for child, _ in below:
            if child not in seen:
                seen.add(child)
                waiting.append((child, depth + 1, keeps))
    return cause, place


def _overflow(node: Node, inputs: dict[str, Tensor]) -> str:
    """An operation whose finite inputs gave a value that is not finite; "" where not all of its
    inputs are known, such as a mask that is added in `baddbmm`."""
    if operation(node) == "Baddbmm" and node.next_functions[0][0] is None:
        return ""
    weights = [
        leaf for leaf in (leaf_of(child) for child, _ in inputs_of(node)) if leaf is not None
    ]
    if len(inputs) + len(weights) < len(inputs_of(node)):
        return ""
    if operation(node) in ("Div", "Mul"):
        # Of a product or quotient with a constant torch keeps the constant alone.
        computed = [
            name
            for name, (child, _) in zip(("self", "other"), node.next_functions, strict=False)
            if child is not None and leaf_of(child) is None
        ]
        if not inputs.keys() >= set(computed):
            return ""
    numbers = [value for value in inputs.values() if value.is_floating_point()]  # no masks
    if not numbers:
        return ""
    values = [value for value in [*numbers, *weights] if value.numel()]
    largest = max((float(value.abs().max()) for value in values), default=0.0)
    kind = str(numbers[0].dtype).removeprefix("torch.")
    return f"{operation(node)} overflows: its inputs reach {largest:.3g} in {kind}"


def _inputs_and_results(node: Node) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    inputs: dict[str, Tensor] = {}
    results: dict[str, Tensor] = {}
    for name, value in saved_tensors(node).items():
        if name.startswith(_RESULTS):
            results[name] = value
        else:
            inputs[name] = value
    return inputs, results


def _description(node: Node, inputs: dict[str, Tensor], results: dict[str, Tensor]) -> str:
    """What an operation made of finite inputs, where it can have made a value that is not
    finite; "" otherwise."""
    kind = operation(node)
    value = inputs.get("self")
    if kind in _DOMAINS and value is not None and value.numel():
        low, high = float(value.min()), float(value.max())
        if kind in ("Acos", "Asin"):
            worst = high if high > 1 else low
            return f"{kind} of {worst:.3g}" if abs(worst) > 1 else ""
        return f"{kind} of {low:.3g}" if low <= 0 else ""
    if kind == "Div" and "other" in inputs and bool((inputs["other"] == 0).any()):
        return "division by 0"
    if kind == "Pow" and value is not None and value.numel():
        exponent = saved(node, "exponent")
        if isinstance(exponent, int | float):
            low = float(value.min())
            if (low < 0 and exponent != int(exponent)) or (
                bool((value == 0).any()) and exponent < 0
            ):
                return f"{low:.3g} to the power of {exponent:g}"
    bad = next((value for value in results.values() if not _is_finite(value)), None)
    if bad is None:
        return ""
    if kind in ("Softmax", "LogSoftmax") and _masks_a_row(node, bad):
        return f"{kind} of a row that is masked from end to end"
    if kind == "Sqrt":
        return "Sqrt of a number below 0"
    if kind in ("Rsqrt", "Reciprocal"):
        return f"{kind} of 0" if bool(torch.isinf(bad).any()) else f"{kind} of a number below 0"
    if kind == "Exp" and not bool(torch.isnan(bad).any()):
        return f"Exp of a number above {math.log(torch.finfo(bad.dtype).max):.3g}"
    return ""


def _masks_a_row(node: Node, result: Tensor) -> bool:
    """Whether all values of a row are filled with one number right before a softmax, or a mask
    added to them has left none."""
    below = inputs_of(node)
    filled, axis = below[0][0] if len(below) == 1 else None, saved(node, "dim")
    if filled is None or not isinstance(axis, int):
        return False
    axis = signed(axis)
    axis -= result.dim() * (axis >= 0)
    if operation(filled) in ("Add", "Baddbmm"):
        if all(child is not None for child, _ in filled.next_functions):
            return False
        rows = result.isnan()
        return bool((rows.all(axis) == rows.any(axis)).all()) and not bool(rows.all())
    mask = saved(filled, "mask")
    if operation(filled) != "MaskedFill" or not isinstance(mask, Tensor):
        return False
    return mask.dim() >= -axis and bool(mask.all(axis).any())


def risky_inputs(loss: Tensor) -> list[tuple[str, Tensor]]:
    """Values at which a derivative can be infinite, to be looked at when a gradient turns out not
    to be finite. They hold memory: drop them after the backward pass.

    Args:
        loss: before its backward pass.

    Returns:
        Names of operations with saved values, those nearest to the loss first.
    """
    root: Node = getattr(loss, "grad_fn", None)
    if root is None or loss.is_meta:
        return []
    found: list[tuple[str, Tensor]] = []
    for node in _nodes(root):
        kind = operation(node)
        if kind not in _RISKY or is_opaque(node):
            continue
        if kind == "Pow" and not _is_root(saved(node, "exponent")):
            continue
        value = saved(node, _RISKY[kind][0])
        if isinstance(value, Tensor) and value.is_floating_point() and value.numel():
            found.append((kind, value))
        if len(found) == _MOST_RISKY:
            break
    return found


def _is_root(exponent: object) -> bool:
    return isinstance(exponent, int | float) and exponent < 1 and exponent != 0


def cause_of_gradient(risky: list[tuple[str, Tensor]]) -> str:
    """Why a gradient is not finite though its loss is.

    Args:
        risky: from `risky_inputs` before the backward pass.

    Returns:
        Such as "Sqrt at exactly 0 (1 of 16 values)"; "" where it is not known.

    Example:
        >>> import torch
        >>> cause_of_gradient(risky_inputs(torch.zeros(3, requires_grad=True).sqrt().sum()))
        'Sqrt at exactly 0 (3 of 3 values)'
    """
    with torch.no_grad():
        for kind, value in risky:
            count = int(_at_risk(kind, value).sum())
            if count:
                return f"{kind} at {_RISKY[kind][1]} ({_count(count, value)})".replace(
                    "at infinite", "with an infinite result"
                )
    return ""


def _at_risk(kind: str, value: Tensor) -> Tensor:
    place = _RISKY[kind][1]
    if place == "infinite":
        return torch.isinf(value)
    if place == "exactly -1":
        return value == -1
    return value.abs() == 1 if "or 1" in place else value == 0
