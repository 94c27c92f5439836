"""How much a run has learned: what rules check before they call an unusual number a fault."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from statistics import median

from netwise.diagnosis.rules.finding import Answer, Finding, Unchecked
from netwise.history import DIVERGED, History, Series
from netwise.signals import LOSS, TRAIN_LOSS, VALID_LOSS, VALID_R2
from netwise.tasks import task_named

FEWEST = 5  # watched steps that a rule needs: one batch alone may be unusual
# Share of the loss of guessing that is left when a run has clearly learned. Runs of the gallery and
# others with bundled data that reach usual accuracies end below 0.3, those with faults above 0.5.
LEARNED = 0.35
LEAST_R2 = 0.5  # of an autoencoder that has learned

# Reasons why rules could not be checked.
NO_LAYERS = "no layers were recorded: call w.step(loss, y) after loss.backward()"
NO_GRADIENTS = "no gradients were recorded: call w.step(loss, y) after loss.backward()"
NO_UPDATES = "no weight updates were recorded: call w.step(loss, y) before optimizer.step()"
NO_ACTIVATIONS = (
    "it is not known which activations are between the layers: use modules such as nn.ReLU, or "
    "functions of torch"
)
NO_BASELINE = (
    "the loss of the best constant prediction is not known: pass loss=... to `watch`, and the "
    "targets to w.step"
)
NO_LOSS_KIND = (
    "the kind of the loss is not known: pass loss=... to `watch`, and the targets to w.step"
)


def too_few_steps(
    count: int, what: str = "steps with finite gradients", fewest: int = FEWEST
) -> str:
    """Why a rule could not be checked on so few steps."""
    return f"{fewest} {what} are needed, and {count} recorded: train for longer"


def final_loss(history: History) -> float | None:
    """Training loss at the end: of the last epoch, or over the last tenth of the watched steps."""
    epochs = history.of(TRAIN_LOSS)
    if epochs is not None and len(epochs):
        return epochs.last
    steps = history.of(LOSS)
    if steps is None or len(steps) < FEWEST:
        return None
    return mean(steps.values[-max(FEWEST, len(steps) // 10) :])


def final_loss_share(history: History) -> float | None:
    """`loss_share` of the training loss at the end; infinite for a run that diverged."""
    return math.inf if history.ended.how == DIVERGED else loss_share(history, final_loss(history))


def loss_share(history: History, loss: float | None) -> float | None:
    """Where a loss lies between that of perfect predictions (0) and that of the best constant one
    (1); None where those are not known, infinite for a loss that is no finite number."""
    if loss is not None and not math.isfinite(loss):
        return math.inf
    guess, least = history.facts.loss_of_guessing, history.facts.least_loss or 0.0
    if loss is None or guess is None or guess <= least or opponents(history):
        return None
    return (loss - least) / (guess - least)


def opponents(history: History) -> tuple[str, ...]:
    """Modules that are trained against this one, as in a GAN: its loss depends on them, and does
    not fall below that of guessing when it learns."""
    return () if history.wiring is None else history.wiring.opponents


def no_baseline(history: History) -> str:
    """Why it is not known how much a run has learned."""
    others = opponents(history)
    if others:
        return f"the loss depends on {' and '.join(others)}, trained against this module"
    return NO_BASELINE


def if_outcome_known(find: Callable[[History], Answer]) -> Callable[[History], Answer]:
    """A rule about numbers that do no harm in a run that learns. Where it is not known how much the
    run has learned, what the rule finds is not checked."""

    @wraps(find)
    def with_known_outcome(history: History) -> Answer:
        answer = find(history)
        if isinstance(answer, Finding) and not outcome_known(history):
            return Unchecked(no_baseline(history))
        return answer

    return with_known_outcome


def outcome_known(history: History) -> bool:
    """Whether it is known how much the run has learned."""
    has_r2 = history.of(VALID_R2) is not None
    by_r2 = has_r2 and task_named(history.facts.task).inputs_are_targets
    return by_r2 or final_loss_share(history) is not None


def generalises(history: History) -> bool:
    """Whether the run has clearly learned, also on validation data where there are any."""
    valid = history.of(VALID_LOSS)
    best = min(valid.finite) if valid is not None and valid.finite else None
    share = 0.0 if best is None else loss_share(history, best)
    return has_learned(history) and share is not None and share < LEARNED


def has_learned(history: History) -> bool:
    """Whether the run has clearly learned, so that unusual numbers inside it did no harm; False
    where it is not known.

    An autoencoder has learned where it reconstructs half of its inputs' variance: its loss may
    contain penalties.
    """
    r2 = history.of(VALID_R2)
    if (
        task_named(history.facts.task).inputs_are_targets
        and r2 is not None
        and r2.finite
        and history.ended.how != DIVERGED
    ):
        return r2.finite[-1] > LEAST_R2
    left = final_loss_share(history)
    return left is not None and left < LEARNED


def finite_median(values: Iterable[float]) -> float | None:
    """Median of the finite values, or None without any."""
    finite = [v for v in values if math.isfinite(v)]
    return median(finite) if finite else None


def mean(values: Sequence[float]) -> float:
    """The mean; not a number where infinities of both signs are among the values."""
    return sum(values) / len(values)


def span(first: int, last: int) -> tuple[int, int]:
    """First and last step of a finding. A series that was cut short may end before the step at
    which the rule begins."""
    return min(first, last), last


def series_by_layer(history: History, signal: str) -> dict[str, Series]:
    """The series of one signal for all layers that have it, in order of use."""
    series = ((layer.name, history.of(signal, layer.name)) for layer in history.layers)
    return {name: each for name, each in series if each is not None and len(each)}
