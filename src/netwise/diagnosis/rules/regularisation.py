"""Regularisation that outweighs the data: dropout, weight decay or a penalty so strong that the
network does not learn."""

from __future__ import annotations

from math import sqrt

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    finite_median,
    has_learned,
    if_outcome_known,
    series_by_layer,
)
from netwise.history import History
from netwise.signals import GRADIENT_RATIO, GROUP_RATE, LOSS, PENALTY, RATE, UPDATE_RATIO

MOST_DROPPED = 0.8  # share of units; half is usual
# Pull of the decay over that of the data: above it the weights shrink whatever the data are.
MOST_DECAY = 1.0
MOST_PULL = 1e6  # in place of a larger one: steps that are nothing but decay
MOST_PENALTY = 0.5  # share of the loss
# Optimizers that shrink the weights by rate * decay, apart from the gradient (arXiv 1711.05101).
DECOUPLED = ("AdamW", "Lion", "Muon", "Adafactor", "SGDW")


@if_outcome_known
def brakes_too_strong(history: History) -> Answer:
    """Find dropout above 0.8, a weight decay stronger than the gradient, or a penalty that is most
    of the loss; in a run that has not learned."""
    if not history.series:
        return Unchecked("nothing was recorded: call w.step(loss, y) after loss.backward()")
    if has_learned(history):
        return None
    checks = (_dropout(history), _decay(history), _penalty(history))
    strong = [check for check in checks if check is not None]
    if not strong:
        return None
    return Finding(
        rule="brakes_too_strong",
        sentence=" ".join(sentence for sentence, _ in strong),
        steps=(0, history.ended.step),
        evidence=tuple(evidence for _, evidence in strong),
        strength=max(evidence.value / evidence.limit for _, evidence in strong),
    )


def _dropout(history: History) -> tuple[str, Evidence] | None:
    share = history.facts.dropout
    if share is None or share <= MOST_DROPPED:
        return None
    return (
        f"Dropout sets {100 * share:.0f} % of a layer's units to 0.",
        Evidence("units dropped", share, MOST_DROPPED, percent=True),
    )


def _decay(history: History) -> tuple[str, Evidence] | None:
    decay = history.facts.weight_decay or 0.0
    if history.facts.optimizer in DECOUPLED:
        return _decoupled_decay(history, decay)
    ratios = [
        finite_median(series.values) for series in series_by_layer(history, GRADIENT_RATIO).values()
    ]
    strongest = max((ratio for ratio in ratios if ratio is not None), default=0.0)
    if decay <= 0 or strongest <= 0 or decay / strongest <= MOST_DECAY:
        return None
    pull = decay / strongest
    return (
        f"In every layer the weight decay is at least {pull:.2g} times as strong as the gradient.",
        Evidence("weight decay / (|g| / |w|)", pull, MOST_DECAY),
    )


def _decoupled_decay(history: History, decay: float) -> tuple[str, Evidence] | None:
    """Where the decay is no part of the gradient, a step shrinks the weights by rate * decay of
    their norm, and the data change them by the rest."""
    recorded = history.of(GROUP_RATE, "0") or history.of(RATE)
    rate = finite_median(recorded.values) if recorded is not None else None
    rate = history.facts.rate if rate is None else rate
    updates = [
        finite_median(series.values) for series in series_by_layer(history, UPDATE_RATIO).values()
    ]
    strongest = max((ratio for ratio in updates if ratio is not None), default=0.0)
    shrink = decay * (rate or 0.0)
    if shrink <= 0 or strongest <= 0:
        return None
    data = sqrt(max(strongest**2 - shrink**2, 0.0))
    pull = min(shrink / data, MOST_PULL) if data > 0 else MOST_PULL
    if pull <= MOST_DECAY:
        return None
    return (
        f"In every layer the decay changes the weights {pull:.2g} times as much as the gradient.",
        Evidence("rate * weight decay / the rest of |step| / |w|", pull, MOST_DECAY),
    )


def _penalty(history: History) -> tuple[str, Evidence] | None:
    penalty, loss = history.of(PENALTY), history.of(LOSS)
    if penalty is None or loss is None:
        return None
    pairs = zip(penalty.values, loss.values, strict=False)
    shares = [part / total for part, total in pairs if total > 0]
    # The first step too: once the penalty has shrunk the weights, it is small.
    share = max(shares[0] if shares else 0.0, finite_median(shares) or 0.0)
    if share <= MOST_PENALTY:
        return None
    return (
        f"The penalty is {100 * share:.0f} % of the loss.",
        Evidence("penalty, as a share of the loss", share, MOST_PENALTY, percent=True),
    )


BRAKES_TOO_STRONG = Rule(
    name="brakes_too_strong",
    title="Too much regularisation",
    find=brakes_too_strong,
    explanation=(
        "Regularisation removes more in each step than the data add: weights shrink towards 0, or "
        "too few units are left to learn with. Even the training part is not learned."
    ),
    healthy="Dropout of at most 50 %; a penalty or decay far weaker than the gradient of the data.",
    source="Goodfellow, Bengio, Courville 2016, sections 5.2 and 7.1",
    explains=(
        "dead_relu",
        "vanishing_gradient",
        "rate_too_low",
        "rate_too_high",
        "not_learning",
        "underfitting",
        "saturation",
    ),
    remedies=("lighten_brakes",),
)
