"""The values of the summands of a loss: what is compared with targets, other parts, and a rest that
has no gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from netwise import signals
from netwise.observe.autograd_nodes import saved, shape_of, signed
from netwise.observe.loss_elements import REDUCTIONS, SAME_VALUES, Match, numel
from netwise.observe.loss_sums import Descent
from netwise.observe.loss_targets import LARGEST
from netwise.wiring import (
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    SQUARED_ERROR,
)

# Below the rounding of a sum of 32-bit numbers.
ROUNDING = 1e-4


def exact_value(found: Match, way: Descent) -> float | None:
    """The value of a summand that is a constant multiple of one of torch's losses or of squared
    differences, averaged and summed in any order, as it enters the sum; None for others, weighted
    and large ones.

    Args:
        found: the loss at the end of the way.
        way: to it from the sum.
    """
    if found.swapped or way.weights or way.is_weighted or way.selected:
        return None
    if not all(_is_linear(name) for name in way.path):
        return None
    own = _of_squares(found) if found.by_hand else _of_torch(found)
    return None if own is None else math.prod(way.constants) * way.averaged * own


def _is_linear(name: str) -> bool:
    kind = name.removesuffix("Backward0").removesuffix("Backward1")
    return kind in ("Mul", "Div", "Neg", "Add", "Sub", "Mean", "Sum") or kind in SAME_VALUES


def _of_squares(found: Match) -> float | None:
    """The sum of all elements of squared differences that are written out."""
    residual = found.residual
    if found.operation != SQUARED_ERROR or residual is None or residual.numel() > LARGEST:
        return None
    if not residual.is_floating_point() or residual.shape != shape_of(found.node):
        return None
    return float(residual.float().square().sum())


def _of_torch(found: Match) -> float | None:
    """The sum over the results of one of torch's losses: over all its elements, or one number."""
    x, t, node = found.output, found.target, found.node
    if x is None or t is None or x.numel() > LARGEST:
        return None
    if any(isinstance(saved(node, name), Tensor) for name in ("weight", "pos_weight")):
        return None
    if found.source is None or len(shape_of(found.source) or x.shape) != x.dim():
        return None  # of several networks or samples at once, under `vmap`
    if x.dtype not in (torch.float32, torch.float64):
        return None
    reduction = REDUCTIONS.get(saved(node, "reduction"), "none")
    if reduction != "none" and numel(shape_of(node)) != 1:
        return None
    value = _results(found.operation, x.float(), t, node, reduction)
    return None if value is None else float(value.sum())


def _results(name: str, x: Tensor, t: Tensor, node: Any, reduction: str) -> Tensor | None:
    if name == CROSS_ENTROPY:
        ignored = saved(node, "ignore_index")
        index = signed(ignored) if isinstance(ignored, int) else -100
        return F.nll_loss(x, t, ignore_index=index, reduction=reduction)
    if x.shape != t.shape:
        return None
    if name == SQUARED_ERROR:
        return F.mse_loss(x, t.float(), reduction=reduction)
    if name == BINARY_CROSS_ENTROPY:
        return F.binary_cross_entropy(x, t.float(), reduction=reduction)
    if name == BINARY_CROSS_ENTROPY_OF_LOGITS:
        return F.binary_cross_entropy_with_logits(x, t.float(), reduction=reduction)
    return None


def part_signals(
    total: float, values: Sequence[float | None], with_targets: Sequence[int], others: int
) -> dict[str, float]:
    """The signals of a loss that has several parts.

    Args:
        total: the loss.
        values: exact values of its summands with a gradient, None where they are not known.
        with_targets: which of these compare outputs with targets.
        others: summands with a gradient, such as penalties, that are not among the values.
    """
    row: dict[str, float] = {}
    if not math.isfinite(total):
        return row
    if not others and values and all(value is not None for value in values):
        rest = total - math.fsum(value or 0.0 for value in values)
        size = max(abs(total), *(abs(value or 0.0) for value in values))
        row[signals.LOSS_WITHOUT_GRADIENT] = rest if abs(rest) > ROUNDING * size else 0.0
    main = values[with_targets[0]] if len(with_targets) == 1 else None
    if main is not None and len(values) + others > 1:
        row[signals.LOSS_OF_TARGETS] = main
        row[signals.LOSS_OF_OTHERS] = total - main
    return row


def share_explained(output: Tensor, target: Tensor) -> float | None:
    """R² of one batch of numbers; None where the targets do not differ, or shapes do.

    >>> share_explained(torch.tensor([[1.0], [3.0]]), torch.tensor([[1.0], [3.0]]))
    1.0
    """
    if output.shape != target.shape or target.dim() < 1 or target.shape[0] < 2:
        return None
    if not target.is_floating_point() or target.numel() > LARGEST:
        return None
    wanted, given = target.double(), output.double()
    variance = float((wanted - wanted.mean(0)).square().sum())
    return 1 - float((given - wanted).square().sum()) / variance if variance > 0 else None
