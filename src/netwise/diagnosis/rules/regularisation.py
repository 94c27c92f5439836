"""Regularisation that outweighs the data: dropout, weight decay or a penalty so strong that the
network does not learn."""

from __future__ import annotations

from math import sqrt

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.layer_sizes import norm_changes
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    finite_median,
    has_just_begun,
    has_learned,
    no_baseline,
    outcome_known,
    series_by_layer,
    too_few_steps,
)
from netwise.history import History
from netwise.signals import (
    GRADIENT_CLEARED,
    GRADIENT_RATIO,
    GROUP_RATE,
    LOSS,
    OUTPUT_SPREAD,
    PENALTY,
    RATE,
    UPDATE_RATIO,
    VALID_LOSS,
)

MOST_DROPPED = 0.8  # share of units; half is usual
MOST_EMPTIED = 0.1  # share of samples, whose output is that of the biases alone
# Pull of the decay over that of the data, in the layer where the data pull most. Where both are in
# balance it is 1; usual decays of 5e-4 are below 0.05.
MOST_DECAY = 0.5
MOST_PULL = 1e6  # in place of a larger one: steps that are nothing but decay
MOST_PENALTY = 0.5  # share of the loss
# Last norm of a layer's weights over the first, of the layer that shrank least: 0.9 and more in
# sound programs, below 0.12 in those with a penalty on all weights that is too strong.
SHRUNK = 0.35
COLLAPSED = 0.01  # spread of the outputs over the samples, at the end over the start
FLAT = 0.97  # lowest loss of the data over the first, above which nothing was learned
# Optimizers that shrink the weights by rate * decay, apart from the gradient (arXiv 1711.05101).
DECOUPLED = ("AdamW", "Lion", "Muon", "Adafactor", "SGDW")


def brakes_too_strong(history: History) -> Answer:
    """Find dropout above 0.8 or of whole layers, a weight decay nearly as strong as the gradient, a
    penalty that is most of the loss, or weights that either of these has shrunk to a small part; in
    a run that has not learned.

    Where the loss of guessing is not known, only weights that shrank count, while the loss on other
    data, or that without the penalty, did not fall.
    """
    if not history.series:
        return Unchecked("nothing was recorded: call w.step(loss, y) after loss.backward()")
    if has_just_begun(history):
        return Unchecked(too_few_steps(history.ended.step, "steps"))
    if has_learned(history):
        return None
    checks = (_dropout(history), _decay(history), _penalty(history), _shrunk(history))
    strong = [check for check in checks if check is not None]
    if not strong:
        return None
    if not outcome_known(history) and (checks[-1] is None or not _data_not_learned(history)):
        return Unchecked(no_baseline(history))
    return Finding(
        rule="brakes_too_strong",
        sentence=" ".join(sentence for sentence, _ in strong),
        steps=(0, history.ended.step),
        evidence=tuple(evidence for _, evidence in strong),
        strength=max(_strength(evidence) for _, evidence in strong),
        change=_change(history, *checks),
    )


def _strength(evidence: Evidence) -> float:
    value, limit = evidence.value, evidence.limit
    if evidence.above:
        return value / limit
    return min(limit / value, MOST_PULL) if value > 0 else MOST_PULL


def _change(history: History, *checks: tuple[str, Evidence] | None) -> str:
    """Lines of code for what was found, the first of them for the strongest."""
    dropout, decay, penalty, shrunk = checks
    lines = []
    if dropout is not None:
        lines.append("nn.Dropout(0.2)  # or F.dropout(x, 0.2, self.training)")
    if decay is not None or (shrunk is not None and history.facts.weight_decay):
        lines.append('for group in optimizer.param_groups:\n    group["weight_decay"] = 1e-4')
    if penalty is not None or (shrunk is not None and _has_penalty(history)):
        lines.append("loss = data_loss + 1e-5 * penalty  # far below the loss of the data")
    return "\n".join(lines)


def _has_penalty(history: History) -> bool:
    wiring = history.wiring
    return history.of(PENALTY) is not None or (
        wiring is not None and any(term.penalty for term in wiring.losses)
    )


def _no_gradient(history: History) -> bool:
    """Whether the optimizer gets no gradient of the data: units that are dead from the start, or
    gradients that are cleared before the step."""
    cleared = history.of(GRADIENT_CLEARED)
    if cleared is not None and (finite_median(cleared.values) or 0.0) > 0:
        return True
    first = [s.values[0] for s in series_by_layer(history, GRADIENT_RATIO).values()]
    return bool(first) and max(first) == 0


def _shrunk(history: History) -> tuple[str, Evidence] | None:
    """All layers' weights are a small part of their first size, where a decay or a penalty pulls
    them towards 0."""
    changes = norm_changes(history)
    if _no_gradient(history):
        return None  # a decay alone shrinks the weights, which is no fault of it
    if not changes or not (history.facts.weight_decay or _has_penalty(history)):
        return None
    least = max(changes.values())
    if least >= SHRUNK:
        return None
    what = "the weight decay" if history.facts.weight_decay else "the penalty"
    if history.facts.weight_decay and _has_penalty(history):
        what = "the penalty or the weight decay"
    return (
        f"In every layer {what} has shrunk the weights to {100 * least:.2g} % of their norm.",
        Evidence("last norm of the weights over the first", least, SHRUNK, above=False),
    )


def _data_not_learned(history: History) -> bool:
    """Whether the loss on evaluation data, or the training loss without its penalty, has not
    fallen; or the outputs have become the same for all samples."""
    spread = history.of(OUTPUT_SPREAD, history.layers[-1].name) if history.layers else None
    if spread is not None and spread.finite and spread.finite[-1] < COLLAPSED * spread.finite[0]:
        return True
    valid = history.of(VALID_LOSS)
    if valid is not None and len(valid.finite) >= FEWEST:
        return min(valid.finite) > FLAT * valid.finite[0]
    penalty, loss = history.of(PENALTY), history.of(LOSS)
    if penalty is None or loss is None:
        return False
    whole = dict(zip(loss.steps, loss.values, strict=True))
    data = [whole[s] - v for s, v in zip(penalty.steps, penalty.values, strict=True) if s in whole]
    return len(data) >= FEWEST and data[0] > 0 and data[-1] > FLAT * data[0]


def _dropout(history: History) -> tuple[str, Evidence] | None:
    share = history.facts.dropout
    if share is None or share <= MOST_DROPPED:
        return _emptied(history)
    return (
        f"Dropout sets {100 * share:.0f} % of a layer's units to 0.",
        Evidence("units dropped", share, MOST_DROPPED, percent=True),
    )


def _emptied(history: History) -> tuple[str, Evidence] | None:
    """A dropout of a usual rate before a layer of few units."""
    share = history.facts.emptied_by_dropout
    if share is None or share <= MOST_EMPTIED:
        return None
    return (
        f"Dropout sets all units of a narrow layer to 0 for {100 * share:.0f} % of the samples.",
        Evidence("samples without a unit", share, MOST_EMPTIED, percent=True),
    )


def _decay(history: History) -> tuple[str, Evidence] | None:
    decay = history.facts.weight_decay or 0.0
    if _no_gradient(history):
        return None
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
    whole = dict(zip(loss.steps, loss.values, strict=True))
    pairs = [(v, whole.get(s, 0.0)) for s, v in zip(penalty.steps, penalty.values, strict=True)]
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
    change=(
        "optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-4)\n"
        "nn.Dropout(0.2)  # at most 0.5; penalties of the loss: a tenth of their factor"
    ),
)
