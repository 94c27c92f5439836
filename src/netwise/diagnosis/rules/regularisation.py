"""Brakes that win over the data: dropout, decay or a penalty so strong that nothing is learned."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import by_layer, finite_median, has_learned
from netwise.history import History
from netwise.signals import GRADIENT_RATIO, LOSS, PENALTY

MOST_DROPPED = 0.8  # share: the catalogue's line; half is usual
DECAY = (
    1.0  # pull of the decay over that of the data: above it weights shrink whatever the data say
)
PRICE = 0.5  # share of the loss that is penalty


def brakes_too_strong(history: History) -> Answer:
    """Find dropout above 0.8, a decay that pulls harder than the gradient, or a penalty that is
    most of the loss; in a run that has not learned."""
    if not history.series:
        return Unchecked("nothing was recorded")
    if has_learned(history):
        return None
    seen: list[tuple[str, Evidence]] = []
    dropout = history.facts.dropout
    if dropout is not None and dropout > MOST_DROPPED:
        seen.append(
            (
                f"Dropout takes out {100 * dropout:.0f} % of a layer's units.",
                Evidence("share dropped", dropout, MOST_DROPPED),
            )
        )
    decay = history.facts.weight_decay or 0.0
    pulls = [finite_median(s.values) for s in by_layer(history, GRADIENT_RATIO).values()]
    strongest = max((pull for pull in pulls if pull is not None), default=0.0)
    if decay > 0 and strongest > 0 and decay / strongest > DECAY:
        seen.append(
            (
                f"The weight decay pulls {decay / strongest:.2g} times as hard as the gradient, in every layer.",
                Evidence("decay / (|g| / |w|)", decay / strongest, DECAY),
            )
        )
    price, loss = history.of(PENALTY), history.of(LOSS)
    if price is not None and loss is not None:
        shares = [
            p / total for p, total in zip(price.values, loss.values, strict=False) if total > 0
        ]
        share = max(
            shares[0] if shares else 0.0, finite_median(shares) or 0.0
        )  # at the start too: what it shrinks, it no longer costs
        if share > PRICE:
            seen.append(
                (
                    f"{100 * share:.0f} % of the loss is the penalty.",
                    Evidence("penalty / loss", share, PRICE),
                )
            )
    if not seen:
        return None
    worst = max((evidence for _, evidence in seen), key=lambda e: e.value / e.limit)
    return Finding(
        rule="brakes_too_strong",
        sentence=" ".join(sentence for sentence, _ in seen),
        steps=(0, history.ended.step),
        evidence=tuple(evidence for _, evidence in seen),
        strength=worst.value / worst.limit,
    )


BRAKES_TOO_STRONG = Rule(
    name="brakes_too_strong",
    title="Regularisation too strong",
    find=brakes_too_strong,
    explanation="Each step undoes more than it learns: weights shrink, or what a unit learns is hidden from the next. The training part stays unlearned.",
    healthy="Dropout of at most a half, and a penalty or decay that pulls far less than the data do.",
    source="note 000, claims D08 and T02",
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
