"""The first loss or gradient of an observed program that is not finite, and its cause."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable

import torch
from torch import Tensor

from netwise.observe import non_finite
from netwise.observe.sampling import is_read

MOST_PLACES = 32  # lines with risky operations


class FiniteCheck:
    """Looks for the first value that is not finite.

    The cause of a loss is read from its graph before the backward pass. The cause of a gradient has
    to be held over the backward pass, which frees it; so that is done only for losses with an
    operation whose derivative can be infinite, such as a square root.
    """

    def __init__(self) -> None:
        self.sentence = ""  # of the first one; "" as long as all are finite
        self.step: int | None = None
        self.in_loss = ""  # the operation between outputs and loss that made it
        self._risky_places: set[str] = set()
        self._looked: dict[str, int] = {}  # how often, by place
        self._held: list[tuple[str, Tensor]] = []
        self._of_loss: frozenset[str] = frozenset()  # risky operations between outputs and loss
        self._witness: weakref.ref[Tensor] | None = None  # the smallest parameter

    @property
    def holds(self) -> bool:
        """Whether values have to be held over backward passes, also of steps not watched."""
        return bool(self._risky_places) and not self.sentence

    def loss(self, loss: Tensor, value: float, place: str, step: int) -> None:
        """Record a loss that is not finite, before its backward pass."""
        if not self.sentence:
            cause, self.in_loss = non_finite.cause_and_operation(loss)
            self._record(f"The loss is {value}{_at(place)}", cause, step)

    def watch_place(self, loss: Tensor, place: str, leaves: Iterable[Tensor]) -> None:
        """Find out in a watched step whether a loss has risky operations."""
        if self.sentence:
            return
        if self._witness is None or self._witness() is None:
            smallest = min(leaves, key=Tensor.numel, default=None)
            self._witness = None if smallest is None else weakref.ref(smallest)
        looked = self._looked.get(place, 0)
        if place in self._risky_places or (not looked and len(self._looked) >= MOST_PLACES):
            return
        self._looked[place] = looked + 1
        if not is_read(looked):
            return
        if non_finite.risky_inputs(loss):
            self._risky_places.add(place)

    def hold(self, loss: Tensor) -> None:
        """Hold the values of risky operations, before a backward pass."""
        self._held = non_finite.risky_inputs(loss)
        self._of_loss = non_finite.operations_of_loss(loss)

    def release(self, value: float, place: str, step: int) -> None:
        """Check a gradient after the backward pass, and let go of what was held."""
        held, self._held = self._held, []
        witness = None if self._witness is None else self._witness()
        gradient = None if witness is None else witness.grad
        if self.sentence or not held or gradient is None or gradient.is_sparse:
            return
        if bool(torch.isfinite(gradient).all()):
            return
        loss = f"of the loss {value:.4g}" if math.isfinite(value) else "of the loss"
        cause = non_finite.cause_of_gradient(held)
        kind = cause.split(" ")[0]
        self.in_loss = kind if kind in self._of_loss else ""
        self._record(f"The gradient {loss} is not finite{_at(place)}", cause, step)

    def _record(self, what: str, cause: str, step: int) -> None:
        self.sentence = f"Step {step}: {what}" + (f". The cause: {cause}." if cause else ".")
        self.step = step


def _at(place: str) -> str:
    return f" at {place}" if place else ""
