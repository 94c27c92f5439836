"""Functions with a backward pass of their own: whether that is the derivative of their forward
pass."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import _is_setup_context_defined

from netwise.observe.nested import tensors_in
from netwise.observe.output_gradients import all_trained
from netwise.observe.undisturbed import seed_all

MOST_FUNCTIONS = 4  # classes that are compared
MOST_NODES = 20_000
MOST_NUMBERS = 100_000  # of the inputs of a call
DIRECTIONS = 24  # in which inputs are moved
FEWEST = 4  # numbers of the inputs
APART = 1e-3  # from the inputs of the program, in standard deviations: none is where a kink is
STEP = 1e-5  # of a difference, in standard deviations
STEADY = 0.02  # largest change of the slopes when the step is a quarter
NOTHING = 1e-8  # slope over the outputs, of functions that are constant in pieces


@dataclass(frozen=True)
class OwnBackward:
    """A function and how far its backward pass is from the derivative.

    Args:
        name: of its class.
        agreement: cosine of both: 1 where they have one direction, 0 for none, -1 for the opposite
            one. Only numbers with a derivative count, where each output has an input of its own.
        by_element: whether each output depends on one input alone.
    """

    name: str
    agreement: float
    by_element: bool


def own_backward(module: nn.Module, call: Callable[[], Sequence[Tensor]]) -> OwnBackward | None:
    """The function with the least agreement; None without one that can be compared. Only inside of
    `undisturbed`.

    Functions that give back their input, as those that reverse a gradient, and those that are
    constant in pieces, as signs and rounding, have no derivative of use; another one is meant.

    Args:
        module: a copy whose parameters are asked for gradients.
        call: gives its outputs.
    """
    found: list[OwnBackward] = []
    with all_trained(module.parameters()):
        for function in _functions(call()):
            for args in _arguments(function, call):
                with contextlib.suppress(Exception):  # code of the program's own
                    compared = _compared(function, args)
                    if compared is not None:
                        found.append(compared)
    return min(found, key=lambda each: each.agreement, default=None)


def _functions(outputs: Sequence[Tensor]) -> list[Any]:
    """The program's own classes of functions behind the outputs."""
    roots = [t.grad_fn for t in outputs if t.grad_fn is not None]
    found: dict[Any, None] = {}
    seen: set[Any] = set(roots)
    waiting: list[Any] = list(roots)
    while waiting and len(seen) < MOST_NODES and len(found) < MOST_FUNCTIONS:
        node = waiting.pop()
        function = getattr(node, "_forward_cls", None)
        if function is not None and function.__module__.split(".")[0] not in ("torch", "netwise"):
            found[function] = None
        for child, _ in node.next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                waiting.append(child)
    return list(found)


def _arguments(function: Any, call: Callable[[], object]) -> list[tuple[Any, ...]]:
    """What the first call of a function gets."""
    calls: list[tuple[Any, ...]] = []
    own, forward = vars(function).get("forward"), function.forward
    skipped = 0 if _is_setup_context_defined(function.setup_context) else 1  # the context

    def noting(*args: Any, **kwargs: Any) -> Any:
        if not calls and not kwargs:
            calls.append(args[skipped:])
        return forward(*args, **kwargs)

    function.forward = staticmethod(noting)
    try:
        call()
    finally:
        if own is None:
            del function.forward
        else:
            function.forward = own
    return calls


def _compared(function: Any, args: tuple[Any, ...]) -> OwnBackward | None:
    """Compare the backward pass with differences of the forward pass, in double precision."""
    places = [
        place
        for place, value in enumerate(args)
        if isinstance(value, Tensor) and value.is_floating_point()
    ]
    count = sum(args[place].numel() for place in places)
    if not FEWEST <= count <= MOST_NUMBERS:
        return None
    generator = torch.Generator().manual_seed(0)

    def noise(like: Tensor) -> Tensor:
        drawn = torch.randn(like.shape, generator=generator, dtype=torch.float64)
        return drawn.to(like.device)

    values, sizes = [], []
    for place in places:
        value = args[place].detach().double()
        size = float(value.std()) if value.numel() > 1 else float(value.abs().sum())
        sizes.append(size or 1.0)
        values.append((value + APART * sizes[-1] * noise(value)).requires_grad_(True))

    def outputs(inputs: Sequence[Tensor]) -> list[Tensor]:
        given = list(args)
        for place, value in zip(places, inputs, strict=True):
            given[place] = value
        seed_all(0)
        return [t for t in tensors_in(function.apply(*given)) if t.is_floating_point()]

    results = outputs(values)
    if not results or any(t.grad_fn is None for t in results) or _gives_back(results, values):
        return None
    if len(values) == len(results) == 1 and results[0].shape == values[0].shape:
        answer = _by_element(function, outputs, values[0], results[0], sizes[0])
        if answer is not NotImplemented:
            return answer  # type: ignore[no-any-return]
    weights = [noise(t) for t in results]
    slopes: tuple[Tensor | None, ...] = torch.autograd.grad(
        results, values, weights, allow_unused=True
    )
    given = [(v.detach(), s, g) for v, s, g in zip(values, sizes, slopes, strict=True)]
    if all(slope is None for _, _, slope in given):
        return None
    said: list[float] = []
    measured: list[float] = []
    again: list[float] = []
    for _ in range(DIRECTIONS):
        ways = [size * noise(value) * (slope is not None) for value, size, slope in given]
        said.append(
            sum(
                float((way * slope).sum())
                for way, (_, _, slope) in zip(ways, given, strict=True)
                if slope is not None
            )
        )
        for step, kept in ((STEP, measured), (STEP / 4, again)):
            ahead, behind = (
                outputs([value + s * way for (value, _, _), way in zip(given, ways, strict=True)])
                for s in (step, -step)
            )
            changes = zip(ahead, behind, weights, strict=True)
            kept.append(sum(float(((a - b) * w).sum()) for a, b, w in changes) / (2 * step))
    whole = sum(float((t.detach() * w).abs().sum()) for t, w in zip(results, weights, strict=True))
    return _agreement(function, said, measured, again, whole, by_element=False)


def _gives_back(results: Sequence[Tensor], values: Sequence[Tensor]) -> bool:
    """Whether an output is one of the inputs, maybe in another shape."""
    return any(
        result.numel() == value.numel() and torch.equal(result.flatten(), value.flatten())
        for result in results
        for value in values
    )


def _by_element(
    function: Any,
    outputs: Callable[[Sequence[Tensor]], list[Tensor]],
    value: Tensor,
    result: Tensor,
    size: float,
) -> Any:
    """The comparison of a function of each number; NotImplemented for others."""
    start = value.detach()
    half = torch.zeros_like(start).flatten()
    half[::2] = 1.0
    half = half.reshape(start.shape)
    moved = outputs([start + 0.1 * size * half])[0]
    if moved.shape != result.shape or bool(((moved != result) & (half == 0)).any()):
        return NotImplemented
    slopes: tuple[Tensor | None, ...] = torch.autograd.grad(
        result, value, torch.ones_like(result), allow_unused=True
    )
    (slope,) = slopes
    if slope is None:
        return None
    measured, again = (
        (outputs([start + step])[0] - outputs([start - step])[0]) / (2 * step)
        for step in (STEP * size, STEP * size / 4)
    )
    # A derivative may be replaced where it is 0, as behind the limits of a clamp.
    has_one = measured.abs() > NOTHING * result.detach().abs().mean() / size
    steady = (measured - again).abs() <= STEADY * measured.abs()
    chosen = has_one & steady
    if int(chosen.sum()) < max(FEWEST, int(has_one.sum()) // 2):
        return None
    said, seen = slope[chosen].tolist(), measured[chosen].tolist()
    return _agreement(function, said, seen, seen, 0.0, by_element=True)


def _agreement(
    function: Any,
    said: Sequence[float],
    measured: Sequence[float],
    again: Sequence[float],
    whole: float,
    by_element: bool,
) -> OwnBackward | None:
    one, other, third = (
        torch.tensor(each, dtype=torch.float64) for each in (said, measured, again)
    )
    length = float(other.norm())
    if length <= NOTHING * whole or float((other - third).norm()) > STEADY * length:
        return None
    product = float(one.norm()) * length
    cosine = float(one @ other) / product if product > 0 else 0.0
    return OwnBackward(function.__name__, cosine, by_element)
