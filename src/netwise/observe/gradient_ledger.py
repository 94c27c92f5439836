"""What happens to gradients between one optimizer step and the next.

Norms of gradients are read before and after each backward pass, before unscaling and at the step.
An equal norm means an untouched gradient, since the same numbers give the same norm to the last
bit; a norm of 0 an empty one. So it is known how many backward passes went into a step, and whether
gradients were stale, set to zero, scaled or clipped in between, whatever code did it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from netwise import signals
from netwise.observe.outside_tensors import OutsideTensor

MOST_WEIGHTS = 16  # parameters whose gradients are compared, evenly chosen

Norms = Mapping[int, float]  # by id of the parameter; 0 where there is no gradient


@dataclass
class BackwardPass:
    """One backward pass.

    Args:
        begins, ends: norms of gradients before and after it.
        value: of its loss, without the scale of a gradient scaler; nan where it is no number.
        factor: the constant that the loss is multiplied by, without that scale.
        scale: of the gradient scaler.
        place: file and line of the call.
        reached: ids of the parameters that the loss reaches.
        in_step: it ran inside of the optimizer's step, by a closure.
        number: how many backward passes were watched before it.
        modules: ids of the modules whose outputs the loss uses.
        roots: what is known of the modules whose parameters it reaches; identities in memory may
            be those of modules that are gone.
        complete, opaque, widened, softmax_over_batch: as in `GraphReading`.
        outside: shapes of parameters that belong to no module, by id.
        outside_anew: they are new, and those of the loss before are gone.
        outside_tensors: others that are used as weights and are no parameters, by id.
        asks_inputs: it also reaches tensors that are no parameters, such as inputs.
        site_key, site: the loss, and what is known of it.
        signals: of the batch.
    """

    begins: Norms
    ends: Norms = field(default_factory=dict)
    value: float = math.nan
    factor: float = 1.0
    scale: float = 1.0
    place: str = ""
    reached: frozenset[int] = frozenset()
    in_step: bool = False
    number: int = 0
    modules: frozenset[int] = frozenset()
    roots: frozenset[Any] = frozenset()
    complete: bool = True
    opaque: bool = False
    widened: str = ""
    softmax_over_batch: str = ""
    outside: Mapping[int, str] = field(default_factory=dict)
    outside_anew: bool = False
    outside_tensors: Mapping[int, OutsideTensor] = field(default_factory=dict)
    asks_inputs: bool = False
    site_key: Any = None
    site: Any = None
    signals: Mapping[str, float] = field(default_factory=dict)

    def fills(self, weight: int) -> bool:
        """Whether it has changed the gradient of a parameter."""
        end = self.ends.get(weight, 0.0)
        return end != 0 and not _same(self.begins.get(weight, 0.0), end)


@dataclass(frozen=True)
class CycleAccount:
    """What one optimizer step was made of.

    Args:
        passes: backward passes whose gradients are in the step; 0 where none was seen.
        stale: no backward pass began with an empty gradient.
        cleared: gradients that backward passes had filled were empty at the step.
        zero: backward passes gave exactly 0 to every weight.
        factor: norm of the gradient at the step over that after the last backward pass, times the
            scale of the gradient scaler; None where not known.
        counted: the backward passes in the step, oldest first.
        dropped: backward passes of the same loss since the last step, outside of steps, whose
            gradients were set to zero.
    """

    passes: int
    stale: bool
    cleared: bool
    zero: bool
    factor: float | None
    counted: tuple[BackwardPass, ...]
    dropped: int = 0

    def row(self, complete: bool) -> dict[str, float]:
        """The signals of the step.

        Args:
            complete: the account covers all since the optimizer's last step. Without that, a
                gradient may have been cleared unseen.
        """
        row: dict[str, float] = {}
        if self.counted:
            row[signals.GRADIENT_ZERO] = float(self.zero)
            row[signals.LOSS_FACTOR] = self.counted[-1].factor
            if self.counted[-1].scale != 1:
                row[signals.LOSS_SCALE] = self.counted[-1].scale
        if self.passes and complete:
            row[signals.STALE] = float(self.stale)
            row[signals.GRADIENT_CLEARED] = float(self.cleared)
            if not self.stale:
                row[signals.BACKWARD_PASSES] = float(self.passes)
                row[signals.BACKWARD_DROPPED] = float(self.dropped)
        if self.factor is not None:
            row[signals.GRADIENT_FACTOR] = self.factor
        return row


def account(passes: Sequence[BackwardPass], weights: Iterable[int], at_step: Norms) -> CycleAccount:
    """The account of one step.

    Args:
        passes: all backward passes since the optimizer's last step, oldest first.
        weights: ids of the optimizer's parameters whose norms were read.
        at_step: norms when the step began; of a step with a closure, when it ended.
    """
    weights = list(weights)
    filling = {w: [p for p in passes if p.fills(w)] for w in weights}
    touched = [w for w in weights if filling[w]]
    if not touched:
        reaching = tuple(p for p in passes if any(w in p.ends for w in weights))
        # At a step inside of a backward pass there are gradients that its end does not show.
        zero = any(
            p.ends.get(w) == 0 and (w in p.reached) for p in reaching for w in weights
        ) and not any(p.ends.get(w, 0.0) for p in reaching for w in weights)
        zero = zero and not any(at_step.get(w, 0.0) for w in weights)
        return CycleAccount(0, False, False, zero, None, reaching[-1:] if zero else ())
    # Each parameter has its own passes: those of other parts of the loss do not touch it. The one
    # with the most passes shows how many there are.
    counts = {w: _passes_in(w, filling[w]) for w in touched}
    last = {w: filling[w][-1].ends[w] for w in touched}
    witness = max(touched, key=lambda w: len(counts[w][0]))
    counted, _ = counts[witness]
    stale = all(stale for _, stale in counts.values())
    cleared = all(at_step.get(w, 0.0) == 0 for w in touched)
    before = math.sqrt(sum(last[w] ** 2 for w in touched))
    now = math.sqrt(sum(at_step.get(w, 0.0) ** 2 for w in touched))
    factor = now / before if before > 0 and math.isfinite(before) and math.isfinite(now) else None
    if factor is not None:
        factor *= counted[-1].scale
        factor = 1.0 if abs(factor - 1) < 1e-6 else factor
    passes_of_loss = len(_of_one_loss(counted))
    dropped = _dropped(filling[witness], counted)
    return CycleAccount(passes_of_loss, stale, cleared, False, factor, tuple(counted), dropped)


def _dropped(filling: Sequence[BackwardPass], counted: Sequence[BackwardPass]) -> int:
    """How many passes before those in the step were of the same loss: of one place, that reaches
    the same weights, outside of steps, which may try several points."""
    last = counted[-1]
    before = filling[: len(filling) - len(counted)]
    same = (p for p in before if p.place == last.place and p.reached == last.reached)
    return sum(not p.in_step and not last.in_step for p in same)


def _passes_in(weight: int, passes: Sequence[BackwardPass]) -> tuple[list[BackwardPass], bool]:
    """The backward passes in the gradient of a parameter, and whether it also has older ones.

    Args:
        weight: id of the parameter.
        passes: those that fill its gradient, oldest first.
    """
    counted: list[BackwardPass] = []
    stale = True
    for each in passes:
        if each.begins.get(weight, 0.0) == 0:
            counted, stale = [], False
        counted.append(each)
    return counted, stale


def _of_one_loss(passes: Sequence[BackwardPass]) -> list[BackwardPass]:
    """Those of the passes that belong to the loss with the most: two losses in each step are no
    accumulation."""
    groups: dict[Any, list[BackwardPass]] = {}
    for each in passes:
        groups.setdefault((each.place, each.reached), []).append(each)
    return max(groups.values(), key=len)


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def gradient_norms(
    parameters: Iterable[Tensor], known: Mapping[int, Tensor] | None = None
) -> dict[int, float]:
    """Norms of the gradients by id of the parameter; 0 where there is none.

    Args:
        parameters: dense, sparse or sharded; of a shard, the norm of this process's part.
        known: norms of some of the gradients, by id of the parameter, which are not computed again.
            They are used for dense 32-bit gradients alone: other norms may be rounded otherwise.
    """
    norms: dict[int, float] = {}
    dense: list[Tensor] = []
    values: list[Tensor] = []
    ids, dense_ids = list[int](), list[int]()
    for p in parameters:
        gradient = p.grad
        if gradient is None:
            norms[id(p)] = 0.0
            continue
        norm = None if known is None else known.get(id(p))
        if norm is not None and _is_plain(gradient):
            values.append(norm)
            ids.append(id(p))
            continue
        gradient = local_part(gradient.detach())
        if gradient.is_sparse:
            gradient = gradient.coalesce().values()
        if gradient.is_meta or not gradient.numel():
            norms[id(p)] = 0.0
            continue
        dense_ids.append(id(p))
        dense.append(gradient)
    if dense:
        ids += dense_ids
        values += [v.float() for v in torch._foreach_norm(dense)]
    if values:
        device = values[0].device
        stacked = torch.stack([v if v.device == device else v.to(device) for v in values])
        norms.update(zip(ids, stacked.tolist(), strict=True))
    return norms


def _is_plain(gradient: Tensor) -> bool:
    """Whether a gradient is a dense tensor of 32-bit numbers."""
    return (
        type(gradient) is Tensor
        and gradient.dtype is torch.float32
        and gradient.layout is torch.strided
        and gradient.numel() > 0
    )


def local_part(tensor: Tensor) -> Tensor:
    """This process's part of a sharded tensor; any other tensor itself."""
    to_local = getattr(tensor, "to_local", None)
    return tensor if to_local is None else to_local()


def evenly(items: Sequence[Tensor], most: int = MOST_WEIGHTS) -> list[Tensor]:
    """At most so many of the items, evenly chosen, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[i * (len(items) - 1) // (most - 1)] for i in range(most)]
