"""What outputs can be, what targets are, and how much of the targets the outputs cannot reach."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from netwise.observe.autograd_nodes import (
    MOVES,
    Node,
    constant_of,
    is_opaque,
    may_be_packed,
    only_input,
    operation,
    saved,
)
from netwise.observe.loss_elements import as_number, is_log_softmax
from netwise.wiring import CLASS_NUMBERS, LABELS, NUMBERS, ONE_HOT, SIGN_TARGETS, LossTerm

# Limits of activations that have them.
_LIMITS = {
    "Sigmoid": (0.0, 1.0),
    "Hardsigmoid": (0.0, 1.0),
    "Softmax": (0.0, 1.0),
    "Tanh": (-1.0, 1.0),
    "Relu": (0.0, math.inf),
    "Softplus": (0.0, math.inf),
    "Exp": (0.0, math.inf),
}
# Of those that never fall: what becomes of the limits of their inputs.
_RISING: dict[str, Callable[[float], float]] = {
    "Sigmoid": lambda value: 1 / (1 + math.exp(-value)) if value > -700 else 0.0,
    "Tanh": math.tanh,
    "Relu": lambda value: max(0.0, value),
}
_OF_LENGTH = 1e-2  # of rows that were divided by their lengths, also in half precision
_WHOLE = 1e-4  # rounding of targets that are recovered from a difference
_LOGARITHMS = ("Log", "Log2", "Log10")


def logits_of(source: Node | None) -> Node | None:
    """The operation before a log-softmax; the source itself where there is none."""
    node = _past_moves(source)
    return only_input(node) if node is not None and is_log_softmax(node) else node


def limits_of(source: Node | None) -> tuple[float, float] | None:
    """Numbers between which the results of an operation are, whatever the weights; None where it
    has no limits or they are not known.

    >>> outputs = torch.ones(2, requires_grad=True).sigmoid() * 4
    >>> limits_of(outputs.grad_fn)
    (0.0, 4.0)
    >>> limits_of(torch.ones(2, requires_grad=True).relu().sigmoid().grad_fn)
    (0.5, 1.0)
    """
    factor, node = 1.0, source
    for _ in range(20):
        node = _past_moves(node)
        if node is None or is_opaque(node) or may_be_packed(node):
            return None
        kind = operation(node)
        if kind == "Neg":
            factor, node = -factor, only_input(node)
        elif kind in ("Mul", "Div"):
            number = _constant_number(node)
            if not number:
                return None
            factor, node = factor * number if kind == "Mul" else factor / number, only_input(node)
        else:
            break
    limits = None if node is None else _limits_of_activation(node)
    if limits is None:
        return None
    low, high = sorted(factor * limit for limit in limits)
    return low, high


def _past_moves(node: Node | None) -> Node | None:
    for _ in range(20):
        if node is None or operation(node) not in MOVES:
            break
        node = only_input(node)
    return node


def _constant_number(node: Node) -> float | None:
    """The number that a product or a quotient has beside its only input with a gradient."""
    first = node.next_functions[0][0] is not None
    if only_input(node) is None or (operation(node) == "Div" and not first):
        return None
    return as_number(constant_of(node))


def _limits_of_activation(node: Node) -> tuple[float, float] | None:
    kind = operation(node)
    if kind == "Hardtanh":
        low, high = as_number(saved(node, "min_val")), as_number(saved(node, "max_val"))
        return None if low is None or high is None else (low, high)
    if kind in ("Mm", "Bmm"):
        return (-1.0, 1.0) if _are_cosines(node) else None
    limits, rising = _LIMITS.get(kind), _RISING.get(kind)
    within = limits_of(only_input(node)) if rising is not None else None
    return limits if within is None or rising is None else (rising(within[0]), rising(within[1]))


def _are_cosines(node: Node) -> bool:
    """Whether a product of matrices is one of rows and columns of the length 1, both computed."""
    rows, columns = saved(node, "self"), saved(node, "mat2")
    if not isinstance(rows, Tensor) or not isinstance(columns, Tensor):
        return False
    if len(rows.shape) < 2 or not rows.numel() or not columns.numel():
        return False
    pairs = ((rows, -1), (columns, -2))
    return all(bool(((m.norm(dim=d) - 1).abs() < _OF_LENGTH).all()) for m, d in pairs)


def lowest_of_logarithm(source: Node | None) -> float | None:
    """The smallest number that the logarithm of a loss got; None where it has none."""
    node = _past_moves(source)
    if node is None or operation(node) not in _LOGARITHMS:
        return None
    values = saved(node, "self")
    if not isinstance(values, Tensor) or not values.numel():
        return None
    return float(values.detach().min())


def kind_of_targets(target: Tensor, output_shape: tuple[int, ...]) -> str:
    """What targets are: a name of `netwise.wiring.TARGET_KINDS`.

    >>> kind_of_targets(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), (2, 2))
    'one-hot rows'
    """
    if not target.numel() or target.is_complex() or target.is_sparse:
        return ""
    values = target.detach()
    chooses = len(output_shape) == values.dim() + 1 or tuple(values.shape) != output_shape
    whole = not values.is_floating_point() and values.dtype != torch.bool
    if whole and chooses and len(output_shape) > 1 and output_shape[-1] > 1:
        return CLASS_NUMBERS
    values = values.float()
    if bool((((values - 0).abs() < _WHOLE) | ((values - 1).abs() < _WHOLE)).all()):
        rows = values.dim() > 1 and values.shape[1] > 1
        is_hot = rows and bool(((values.sum(1) - 1).abs() < _WHOLE).all())
        return ONE_HOT if is_hot else LABELS
    if bool(((values.abs() - 1).abs() < _WHOLE).all()):
        return SIGN_TARGETS
    return NUMBERS


def unreachable(target: Tensor, low: float, high: float) -> float:
    """The part of the variance of targets that outputs between two limits cannot explain.

    >>> unreachable(torch.tensor([-1.0, 1.0]), 0.0, 1.0)  # at best 0 and 1
    0.5
    """
    values = target.detach().double().reshape(len(target) if target.dim() else 1, -1)
    nearest = values.clamp(low, high)
    variance = (values - values.mean(0)).square().mean()
    if not float(variance) > 0:
        return 0.0
    # A constant prediction within the limits may do better than the nearest values' own mean.
    return min(1.0, float((values - nearest).square().mean() / variance))


def range_facts(source: Node | None, output_shape: tuple[int, ...], target: Any) -> dict[str, Any]:
    """Fields of `LossTerm` about the limits of outputs and the kind of targets."""
    facts: dict[str, Any] = {"lowest": lowest_of_logarithm(source)}
    limits = limits_of(logits_of(source))
    if limits is not None:
        low, high = limits
        facts["output_low"] = low if math.isfinite(low) else None
        facts["output_high"] = high if math.isfinite(high) else None
    if isinstance(target, Tensor) and target.numel() and target.dim():
        facts["target_kind"] = kind_of_targets(target, output_shape)
        is_number = facts["target_kind"] not in (CLASS_NUMBERS, "")
        if limits is not None and is_number and tuple(target.shape) == output_shape:
            facts["unreachable"] = unreachable(target, *limits)
    return facts


def joined(before: LossTerm | None, now: LossTerm) -> LossTerm:
    """A summand with what several batches show of its targets and values."""
    if before is None or (before.operation, before.chain) != (now.operation, now.chain):
        return now
    return replace(
        now,
        target_low=_over(min, before.target_low, now.target_low),
        target_high=_over(max, before.target_high, now.target_high),
        lowest=_over(min, before.lowest, now.lowest),
        highest=_over(max, before.highest, now.highest),
        unreachable=_over(max, before.unreachable, now.unreachable),
        target_kind=_joined_kind(before.target_kind, now.target_kind),
        zero_derivative=now.zero_derivative if before.zero_derivative else "",
        advantages=now.advantages or before.advantages,
        repeated=before.repeated and now.repeated,
    )


def _over(of: Any, first: float | None, second: float | None) -> float | None:
    """The smaller or larger of two numbers that may not be known, or may be no number."""
    known = [value for value in (first, second) if value is not None and not math.isnan(value)]
    return of(known) if known else second


def _joined_kind(first: str, second: str) -> str:
    """What targets of two batches are together."""
    if first == second or not second:
        return first
    if not first:
        return second
    if {first, second} == {ONE_HOT, LABELS}:
        return LABELS
    # A batch of ones alone may be of labels or of signs.
    if {first, second} == {LABELS, SIGN_TARGETS}:
        return SIGN_TARGETS
    return NUMBERS
