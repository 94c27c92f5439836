"""What is known of an observed program as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ProgramFacts:
    """What is known of the observed program as a whole.

    Args:
        running: it has not ended.
        seconds: since the start.
        device: of the first module.
        not_finite, not_finite_step, not_finite_in_loss: as in `Wiring`.
        frameworks: as in `Wiring`.
        switched_off: parts of the observer that failed, with their error.
        idle: as `Wiring.idle_losses`.
        idle_steps: for each model `Wiring.idle_weights` and `Wiring.idle_steps`.
        left_out: as `Wiring.left_out`.
        copies: as `Wiring.still_copies`.
        evaluated: for each model `Wiring.evaluated_fresh` and `Wiring.evaluated_average`.
        repeated: as `Wiring.repeated_numbers`, and how often.
        asks: a module that is not trained is called in most steps.
        inner: as `Wiring.idle_gradients`.
        constant_gradients: as `Wiring.constant_gradients`, and the ids of the weights.
        shared: as `Wiring.shared_optimizers`.
        unmatched: as `Wiring.unmatched_states`.
        loader_iterators: as in `Wiring`.
        modules: how many were called that are in no other one.
        given: facts that the user stated, which are used instead of those observed.
    """

    running: bool
    seconds: float
    device: str = "cpu"
    not_finite: str = ""
    not_finite_step: int | None = None
    not_finite_in_loss: str = ""
    frameworks: tuple[str, ...] = ()
    switched_off: Mapping[str, str] = field(default_factory=dict)
    idle: tuple[str, ...] = ()
    idle_steps: Mapping[str, tuple[tuple[str, ...], int]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    evaluated: Mapping[str, tuple[str, str, float]] = field(default_factory=dict)
    asks: bool = False
    inner: tuple[str, ...] = ()
    constant_gradients: tuple[str, frozenset[int]] = ("", frozenset())
    repeated: tuple[str, int] = ("", 0)
    shared: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    loader_iterators: int = 0
    modules: int = 1
    given: Mapping[str, Any] = field(default_factory=dict)
