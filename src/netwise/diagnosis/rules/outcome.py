"""How far a run got: what a rule asks before it calls a sign an illness."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

from netwise.history import DIVERGED, History, Series
from netwise.signals import LOSS, TRAIN_LOSS, VALID_LOSS, VALID_R2
from netwise.tasks import RECONSTRUCTION

FEWEST = 5  # watched steps that a statement about a run needs: one batch alone may be odd
# Share of the loss of guessing that is left when a run has plainly learned. Runs of the gallery and
# others with
# bundled data that reach usual accuracies end below 0.3; sick ones above 0.5.
LEARNED = 0.35


def final_loss(history: History) -> float | None:
    """Training loss at the end: of the last epoch, or over the last tenth of the watched steps."""
    epochs = history.of(TRAIN_LOSS)
    if epochs is not None and len(epochs):
        return epochs.last
    steps = history.of(LOSS)
    if steps is None or len(steps) < FEWEST:
        return None
    return average(steps.values[-max(FEWEST, len(steps) // 10) :])


def share_left(history: History) -> float | None:
    """Final training loss on the way from a perfect answer (0) to the best constant one (1); None
    where it is unknown.

    A run that diverged has everything left.
    """
    return math.inf if history.ended.how == DIVERGED else share_of(history, final_loss(history))


def share_of(history: History, loss: float | None) -> float | None:
    """Where a loss lies between that of a perfect answer (0) and that of guessing (1)."""
    guess, least = history.facts.loss_of_guessing, history.facts.least_loss or 0.0
    if loss is None or guess is None or guess <= least:
        return None
    return (loss - least) / (guess - least) if math.isfinite(loss) else math.inf


def carries_over(history: History) -> bool:
    """Plainly learned, and on data that it has not seen too, where there are any."""
    valid = history.of(VALID_LOSS)
    share = share_of(history, min(valid.finite)) if valid is not None and valid.finite else 0.0
    return has_learned(history) and share is not None and share < LEARNED


def has_learned(history: History) -> bool:
    """Plainly learned: signs of illness inside were harmless. False where it is not known.

    A network that gives its inputs again has learned where it gives back half of their variance:
    its cost may hold prices.
    """
    given_back = history.of(VALID_R2)
    if (
        history.facts.task == RECONSTRUCTION
        and given_back is not None
        and given_back.finite
        and history.ended.how != DIVERGED
    ):
        return given_back.finite[-1] > 0.5
    left = share_left(history)
    return left is not None and left < LEARNED


def finite_median(values: Iterable[float]) -> float | None:
    """Median of the finite values, or None without any."""
    finite = [v for v in values if math.isfinite(v)]
    return median(finite) if finite else None


def average(values: Sequence[float]) -> float:
    """The mean; not a number where infinities of both signs meet."""
    return sum(values) / len(values)


def by_layer(history: History, signal: str) -> dict[str, Series]:
    """The series of one signal for all layers that have it, in order of use."""
    found = ((layer.name, history.of(signal, layer.name)) for layer in history.layers)
    return {name: series for name, series in found if series is not None and len(series)}
