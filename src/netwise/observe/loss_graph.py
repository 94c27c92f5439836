"""A loss as its autograd graph shows it: the kind of loss, its targets, its reduction, constant
factors, several summands, and penalties of the weights.

Pure functions of a loss tensor whose backward pass has not run. They never run a forward pass of
the user; what they return holds values, and no part of the graph.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.observe.autograd_nodes import (
    Node,
    inputs_of,
    is_weight,
    nodes_below,
    only_input,
    operation,
    past_moves,
    saved,
    shape_of,
    signed,
    unwrapped,
)
from netwise.observe.free_scale import free_scale
from netwise.observe.loss_elements import (
    LOSSES_OF_TORCH,
    REDUCTIONS,
    Match,
    chain_from,
    is_log_softmax,
    match,
    numel,
)
from netwise.observe.loss_forms import picked_below
from netwise.observe.loss_parts import exact_value, part_signals
from netwise.observe.loss_ranges import range_facts
from netwise.observe.loss_sums import (
    Descent,
    descend,
    is_penalty,
    past_numbers,
    smoothed_part,
    summands,
)
from netwise.observe.loss_targets import (
    LARGEST,
    before_expand,
    from_residual,
    shape_before,
    shape_or_empty,
    target_facts,
)
from netwise.observe.overlap_losses import overlap_of
from netwise.observe.second_derivatives import zero_derivative
from netwise.observe.similarity_losses import similarity_sign
from netwise.observe.undetached import undetached
from netwise.wiring import (
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    SQUARED_ERROR,
    LossTerm,
)

# Nodes before the product with soft targets in torch's own cross entropy.
_MOST_CLASSES = 64  # whose weights are read
_SOFT_TARGETS = ("DivBackward1", "NegBackward0", "SumBackward0")
_MOST_TERMS = 40
_MOST_NODES = 60  # of a loss


@dataclass(frozen=True)
class TermReading:
    """One summand of a loss.

    Args:
        term: what is known of it without tensors.
        output: the input of the loss operation; None where it is not saved.
        target: None where it is not known.
        ignore_index: the class that is left out; None where there is no such class.
        weighted: whether classes or elements have weights.
        value: of this summand as it enters the loss, before the factor of the whole loss; None
            where it is not known.
        exact: the value with all constants, as it enters the whole sum; None where not known.
        advantages: the numbers that log-probabilities of actions are multiplied by; None where
            their sign does not matter.
    """

    term: LossTerm
    output: Tensor | None = None
    target: Tensor | None = None
    ignore_index: int | None = None
    weighted: bool = False
    value: float | None = None
    exact: float | None = None
    advantages: Tensor | None = None


@dataclass(frozen=True)
class LossReading:
    """A loss as a constant factor of a sum.

    Args:
        factor: product of the constants that the whole loss is multiplied by.
        terms: its summands; all penalties of the weights together are one.
        parts: signals of its parts.
    """

    factor: float = 1.0
    terms: tuple[TermReading, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)


def read_loss(loss: Tensor, place: str = "", outputs: Sequence[Tensor] = ()) -> LossReading:
    """Reads a loss before its backward pass.

    Args:
        loss: any value; without a graph the reading is empty.
        place: file and line of the `backward` call.
        outputs: recent outputs of modules, from which targets of losses by hand are recovered.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> outputs = nn.Linear(3, 2)(torch.ones(4, 3))
        >>> reading = read_loss(nn.functional.cross_entropy(outputs, torch.ones(4).long()) / 2)
        >>> reading.factor, reading.terms[0].term.operation, reading.terms[0].term.chain
        (0.5, 'cross entropy', ('LogSoftmax', 'Addmm'))
    """
    root: Node = getattr(loss, "grad_fn", None)
    if root is None or loss.is_meta:
        return LossReading()
    with torch.no_grad():
        value = unwrapped(loss.detach())
        value = value if value.dim() == loss.dim() else value.mean()
        return _with_similarity(_with_products(_read(value, root, place, outputs), root), root)


def _with_products(reading: LossReading, root: Node) -> LossReading:
    """A loss with `LossTerm.undetached`, as one of reinforcement learning, and
    `LossTerm.free_scale`, as a likelihood without its variance."""
    found = undetached(root) if reading.terms else ""
    free = free_scale(root) if reading.terms else ""
    if not found and not free:
        return reading
    terms = tuple(
        replace(r, term=replace(r.term, undetached=found, free_scale=free)) for r in reading.terms
    )
    return replace(reading, terms=terms)


def _with_similarity(reading: LossReading, root: Node) -> LossReading:
    """A loss that is not known otherwise, with `LossTerm.similarity`."""
    unknown = reading.terms and not any(each.term.operation for each in reading.terms)
    sign = similarity_sign(root) if unknown else 0
    if not sign:
        return reading
    terms = tuple(replace(r, term=replace(r.term, similarity=sign)) for r in reading.terms)
    return replace(reading, terms=terms)


def _with_derivative(reading: TermReading, root: Node) -> TermReading:
    """A reading with the second derivative in its summand that is 0."""
    found = "" if reading.term.penalty else zero_derivative(root)
    return replace(reading, term=replace(reading.term, zero_derivative=found)) if found else reading


def _read(loss: Tensor, root: Node, place: str, outputs: Sequence[Tensor]) -> LossReading:
    top = Descent(root)
    node = past_numbers(top)
    parts = summands(node)
    total = float(loss) if loss.numel() == 1 and not loss.is_complex() else None
    terms: list[TermReading] = []
    if len(parts) == 1:
        readings = _read_summand(top, outputs)
        factor = readings[0][1] if len(readings) == 1 else 1.0
        terms = [_with_derivative(reading, node) for reading, _ in readings]
    else:
        factor = math.prod(top.constants)
        has_penalty = False
        owns: list[float] = []
        for way in parts:
            if is_penalty(way.node):
                has_penalty = True
            elif len(terms) < _MOST_TERMS:
                root_of_part = way.node
                for term, own in _read_summand(way, outputs):
                    reading = _with_derivative(_with_value(term, own), root_of_part)
                    weight = replace(reading.term, weight=abs(own))
                    terms.append(replace(reading, term=weight))
                    owns += [own] if term.term.operation else []
        factor, terms = _with_sign(factor, terms, owns)
        factor, terms = _without_batch(factor, terms)
        terms = _with_repeated(terms)
        if has_penalty:
            terms.append(TermReading(LossTerm(penalty=True, by_hand=True)))
    signals_of_parts: dict[str, float] = {}
    if total is not None:
        outer = 1.0 if len(parts) == 1 else math.prod(top.constants)
        signals_of_parts = _parts(total, outer, terms)
        if factor and math.isfinite(factor):
            terms = _completed(terms, total / factor)
    factor = float(factor)  # a product of whole numbers is one
    return LossReading(factor, _placed(terms, place, factor), signals_of_parts)


def _with_repeated(terms: Sequence[TermReading]) -> list[TermReading]:
    """Summands with `LossTerm.repeated`."""
    return [
        replace(reading, term=replace(reading.term, repeated=True))
        if any(_equal(reading, earlier) for earlier in terms[:place])
        else reading
        for place, reading in enumerate(terms)
    ]


def _equal(one: TermReading, other: TermReading) -> bool:
    if not one.term.operation or one.term.operation != other.term.operation:
        return False
    pairs = ((one.output, other.output), (one.target, other.target))
    return all(
        a is not None and b is not None and a.shape == b.shape and bool((a == b).all())
        for a, b in pairs
    )


def _parts(total: float, outer: float, terms: Sequence[TermReading]) -> dict[str, float]:
    """Signals of the parts.

    Args:
        total: the loss.
        outer: constants in front of the sum, which are not in the values of its summands.
        terms: its summands.
    """
    own = [reading for reading in terms if not reading.term.penalty]
    values = [None if reading.exact is None else outer * reading.exact for reading in own]
    compared = [i for i, r in enumerate(own) if r.term.operation and r.target is not None]
    return part_signals(total, values, compared, len(terms) - len(own))


def _placed(terms: Sequence[TermReading], place: str, factor: float) -> tuple[TermReading, ...]:
    return tuple(replace(r, term=replace(r.term, place=place, factor=factor)) for r in terms)


def _read_summand(way: Descent, outputs: Sequence[Tensor]) -> list[tuple[TermReading, float]]:
    """The readings of a summand, each with its own constant factor."""
    own = abs(math.prod(way.constants))  # signs of an unknown formula are its own
    overlap = overlap_of(way.node)
    if overlap is not None:
        term, sign = overlap
        return [(TermReading(term), sign * math.prod(way.constants))]
    found = descend(way)
    if found is not None:
        return [_reading(found, way, outputs)]
    smoothed = smoothed_part(way.node)
    if smoothed is not None:
        return [_reading(match(smoothed), way.continued(smoothed), outputs, is_smoothed=True)]
    parts = inputs_of(way.node) if operation(way.node) in ("Add", "Sub") else []
    ways = [way.continued(child) for child, _ in parts]
    matches = [descend(each) for each in ways]
    if len(ways) == 2 and all(m is not None and not m.by_hand for m in matches):
        if operation(way.node) == "Sub":
            ways[1].constants.append(-1.0)
        return [_reading(found, each, outputs) for found, each in zip(matches, ways, strict=True)]
    if is_penalty(way.node):
        return [(TermReading(LossTerm(penalty=True, by_hand=True)), own)]
    picks = picked_below(way.node)
    of_right_class = None if picks is None else match(picks)
    if of_right_class is not None and of_right_class.target is not None:
        way.is_plain = False  # a function of it, as in a focal loss
        reading, _ = _reading(of_right_class, way, outputs)
        return [(replace(reading, weighted=True), own)]
    return [(_with_actions(_unknown(way), way), own)]


def _with_actions(reading: TermReading, way: Descent) -> TermReading:
    """A summand with `LossTerm.advantages`, where log-probabilities of single actions were stacked
    and multiplied by numbers of both signs."""
    sides = inputs_of(way.node)
    if operation(way.node) in ("Minimum", "Maximum") and all(_is_ratio(side) for side, _ in sides):
        # The lower bound of what is to rise is negated, the upper bound of what is to fall is not.
        down = math.prod(way.constants) > 0
        sign = 1 if down == (operation(way.node) == "Maximum") else -1
        return replace(reading, term=replace(reading.term, advantages=sign))
    if (
        operation(way.node) not in ("Stack", "Cat")
        or not way.weights
        or not way.node.next_functions
    ):
        return reading
    first = way.node.next_functions[0][0]
    found = None if first is None else descend(Descent(first))
    mixed = any(bool((w.real < 0).any()) and bool((w.real > 0).any()) for w in way.weights)
    if not mixed or found is None or found.operation != CROSS_ENTROPY:
        return reading
    sign = 1 if found.sign * math.prod(way.constants) > 0 else -1
    term = replace(reading.term, advantages=sign)
    return replace(reading, term=term, advantages=way.weights[0])


def _is_ratio(node: Node) -> bool:
    """Whether a value is a ratio of probabilities, exp(log p - log q), also clamped, times numbers
    of both signs."""
    below = only_input(node) if operation(node) == "Mul" else None
    if below is None:
        return False
    first = node.next_functions[0][0] is not None
    factor = saved(node, "other" if first else "self")
    if not isinstance(factor, Tensor) or not bool((factor < 0).any()):
        return False
    below = past_moves(below)
    if operation(below) in ("Clamp", "ClampMin", "ClampMax"):
        below = past_moves(only_input(below) or below)
    return bool((factor > 0).any()) and operation(below) == "Exp"


def _unknown(way: Descent) -> TermReading:
    """A summand that is not recognised: a loss of torch inside of it gives what is known."""
    inner = next(
        (n for n in nodes_below(way.node, _MOST_NODES) if operation(n) in LOSSES_OF_TORCH), None
    )
    found = match(inner) if inner is not None else None
    if found is None:
        compares = _has_difference(way.node) or _has_cosine(way.node)
        return TermReading(LossTerm(by_hand=True, chain=chain_from(way.node), compares=compares))
    term = LossTerm(
        found.operation,
        by_hand=True,
        chain=chain_from(found.source),
        output_shape=shape_or_empty(found.output),
        target_shape=shape_or_empty(found.target),
    )
    return TermReading(term, found.output, found.target, _ignored(found), weighted=True)


def _has_difference(root: Node) -> bool:
    """Whether outputs are subtracted from each other between a loss and its layers."""
    return any(
        operation(node) == "Sub"
        and len(inputs_of(node)) == 2
        and numel(shape_of(node)) > 1
        and not is_log_softmax(node)
        and not any(is_weight(child) for child, _ in inputs_of(node))
        for node in nodes_below(root, _MOST_NODES)
    )


def _has_cosine(root: Node) -> bool:
    """Whether outputs that were divided by their lengths are multiplied with each other, both with
    a gradient."""
    for node in nodes_below(root, _MOST_NODES):
        inputs = inputs_of(node)
        if operation(node) in ("Mul", "Mm", "Bmm") and len(inputs) == 2:
            sides = [past_moves(child) for child, _ in inputs]
            if sides[0] is not sides[1] and all(operation(side) == "Div" for side in sides):
                return True
    return False


def _class_weights(node: Node) -> tuple[float, ...]:
    """The weight that a loss of torch gives each class, or 0 and 1; () without weights."""
    weights = saved(node, "weight") if operation(node) in ("NllLoss", "NllLoss2D") else None
    if isinstance(weights, Tensor) and weights.dim() == 1 and len(weights) <= _MOST_CLASSES:
        return tuple(weights.tolist())
    of_ones = saved(node, "pos_weight")
    if isinstance(of_ones, Tensor) and of_ones.numel() == 1:
        return (1.0, float(of_ones))
    return ()


def _reading(
    found: Match | None, way: Descent, outputs: Sequence[Tensor], is_smoothed: bool = False
) -> tuple[TermReading, float]:
    assert found is not None
    reduction, factor = _reduction(found, way)
    output, target = found.output, found.target
    if found.residual is not None:
        output, target = from_residual(found, outputs)
    if found.source is not None and operation(found.source) == "Expand":
        output, target = before_expand(output), before_expand(target)
    weighted = way.is_weighted or any(
        isinstance(saved(found.node, name), Tensor) for name in ("weight", "pos_weight")
    )
    is_soft = _SOFT_TARGETS in (tuple(way.path[-3:]), tuple(way.path[-4:-1]))
    is_by_hand = found.by_hand and not is_soft
    name, advantages = found.operation, 0
    if name == CROSS_ENTROPY and any(bool((w.real < 0).any()) for w in way.weights):
        name = ""  # advantages of actions, as in a policy gradient
        if any(bool((w.real > 0).any()) for w in way.weights):
            advantages = 1 if factor > 0 else -1
    elif name == CROSS_ENTROPY and is_by_hand and factor < 0 and _vary(way.weights):
        name, advantages = "", -1  # rewards above 0 that fall, or costs
    term = LossTerm(
        name,
        by_hand=is_by_hand or not way.is_plain,
        chain=chain_from(found.source),
        reduction=reduction if way.is_plain else "",
        output_shape=found.shape or shape_before(found.source) or shape_or_empty(output),
        target_shape=shape_or_empty(target),
        swapped=found.swapped,
        compares=not found.operation and not found.by_hand,
        advantages=advantages,
        class_weights=_class_weights(found.node),
        **target_facts(found, output, target),
    )
    term = replace(term, **range_facts(found.source, term.output_shape, target))
    exact = None if is_smoothed else exact_value(found, way)
    ignored = _ignored(found)
    numbers = way.weights[0] if advantages else None
    is_weighted = weighted or is_smoothed
    return TermReading(term, output, target, ignored, is_weighted, None, exact, numbers), factor


def _vary(weights: Sequence[Tensor]) -> bool:
    return any(w.numel() > 1 and not w.is_complex() and bool(w.max() > w.min()) for w in weights)


def _reduction(found: Match, way: Descent) -> tuple[str, float]:
    """Mean, sum, none or "", and the product of the other constants."""
    sign = found.sign
    own = REDUCTIONS.get(saved(found.node, "reduction"), "none") if not found.by_hand else "none"
    if own == "mean":
        return "mean", sign * math.prod(way.constants)
    elements = way.selected or found.elements
    batch = (shape_of(found.source) or (0,))[0] if found.source is not None else 0
    averaged, factor, is_mixed = way.averaged, float(sign), False
    for constant in way.constants:
        count = 1 / abs(constant) if constant else 0.0
        half = 0.5 if _close(count, 2 * elements) else 1.0  # sum / (2 n)
        if averaged == 1 and elements > 1 and _close(count * half, elements):
            averaged, constant = 1 / elements, math.copysign(half, constant)
        elif averaged == 1 and batch > 1 and _close(count, batch):
            is_mixed, constant = True, math.copysign(1.0, constant)
        elif averaged == 1 and way.weights and _close(count, float(way.weights[0].sum())):
            averaged, constant = 1 / elements, math.copysign(1.0, constant)
        factor *= constant
    if is_mixed:
        return "", factor
    if _close(averaged * elements, 1):
        return "mean", factor
    if averaged == 1:
        is_summed = own == "sum" or any(name.startswith("Sum") for name in way.path)
        return "sum" if is_summed else ("none" if elements > 1 else "mean"), factor
    return "", factor


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-5)


def _ignored(found: Match) -> int | None:
    number = saved(found.node, "ignore_index")
    return signed(number) if isinstance(number, int) else None


def _with_value(reading: TermReading, own: float) -> TermReading:
    """A reading with the value of its summand, where that is cheap and exact."""
    x, t, name = reading.output, reading.target, reading.term.operation
    reduction = reading.term.reduction
    if x is None or t is None or reading.weighted or reduction not in ("mean", "sum"):
        return reading
    if x.numel() > LARGEST or reading.term.penalty:
        return reading
    x = x.float() if x.is_floating_point() else x
    value: Tensor | None = None
    if x.dim() != len(reading.term.output_shape):  # of several networks at once, under `vmap`
        return reading
    if name == CROSS_ENTROPY and not t.is_floating_point() and not reading.term.by_hand:
        ignored = reading.ignore_index if reading.ignore_index is not None else -100
        value = F.nll_loss(x, t, ignore_index=ignored, reduction=reduction)
    elif name == SQUARED_ERROR and x.shape == t.shape:
        value = F.mse_loss(x, t.float(), reduction=reduction)
    elif name == BINARY_CROSS_ENTROPY and not reading.term.by_hand:
        value = F.binary_cross_entropy(x, t.float(), reduction=reduction)
    elif name == BINARY_CROSS_ENTROPY_OF_LOGITS and not reading.term.by_hand:
        value = F.binary_cross_entropy_with_logits(x, t.float(), reduction=reduction)
    return reading if value is None else replace(reading, value=own * float(value))


def _completed(terms: list[TermReading], total: float) -> list[TermReading]:
    """The value of the only summand that is not known, as the rest."""
    unknown = [place for place, reading in enumerate(terms) if reading.value is None]
    if len(unknown) == 1:
        rest = total - sum(reading.value or 0.0 for reading in terms)
        place = unknown[0]
        terms = [*terms[:place], replace(terms[place], value=rest), *terms[place + 1 :]]
    return terms


def _with_sign(
    factor: float, terms: list[TermReading], owns: list[float]
) -> tuple[float, list[TermReading]]:
    """The sign of the whole loss, where its known summands agree on one: -(log p + log q) has the
    sign 1. Unknown formulas have a sign of their own."""
    if any(own > 0 for own in owns):
        return factor, terms
    flipped = [replace(t, value=None if t.value is None else -t.value) for t in terms]
    if owns:
        return -factor, flipped
    return (-factor, flipped) if factor < 0 else (factor, terms)


def _without_batch(factor: float, terms: list[TermReading]) -> tuple[float, list[TermReading]]:
    """Sums that are divided by the number of samples together are no scaled loss."""
    count = 1 / abs(factor) if factor else 0.0
    batches = {reading.term.output_shape[0] for reading in terms if reading.term.output_shape}
    if count <= 1 or not any(_close(count, batch) for batch in batches):
        return factor, terms
    if not any(reading.term.reduction == "sum" for reading in terms):
        return factor, terms
    changed = []
    for reading in terms:
        value = None if reading.value is None else reading.value / count
        reduction = "" if reading.term.reduction == "sum" else reading.term.reduction
        term = replace(reading.term, reduction=reduction)
        changed.append(replace(reading, term=term, value=value))
    return math.copysign(1.0, factor), changed
