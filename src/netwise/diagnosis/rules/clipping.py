"""Gradients that are clipped to so little that the steps of the optimizer come to nothing."""

from __future__ import annotations

import math
from statistics import median

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.gradient_accounts import SCALE_FREE
from netwise.diagnosis.rules.layer_sizes import usual_updates
from netwise.diagnosis.rules.observation import observed, signal_of_loop
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    NO_UPDATES,
    has_learned,
    no_baseline,
    outcome_known,
    series_by_layer,
)
from netwise.history import History
from netwise.signals import GRADIENT_FACTOR, GRADIENT_RMS

CLIPPED = 0.5  # factor of the gradient below which it counts as clipped
MOST = 0.9  # share of the watched steps
# Median factor. Recurrent networks that learn are clipped to a quarter in many steps.
LITTLE = 0.1
FLOOR = 1e-7  # of adaptive optimizers: ten times the constant that Adam and RMSprop add
SHORT = 1.5e-3  # |step| / |w| as for rate_too_low: sound programs have 0.0032 and more


def clipped_away(history: History) -> Answer:
    """Find gradients that are clipped to less than a tenth in nearly all watched steps, in a run
    that has not learned and whose steps are short.

    Adaptive optimizers divide by the size of the gradient, so that a clip hardly changes theirs,
    unless little more is left than the constant that they add to it.
    """
    wiring = observed(history, "optimizers")
    if isinstance(wiring, Unchecked):
        return wiring
    factors = signal_of_loop(history, GRADIENT_FACTOR, FEWEST)
    if isinstance(factors, Unchecked):
        return factors
    known = tuple(v for v in factors.finite if v > 0)  # 0: gradients that were cleared
    if len(known) < FEWEST:
        return None
    adaptive = any(part in name.lower() for name in wiring.optimizers for part in SCALE_FREE)
    largest = max(_usual_rms(history).values(), default=math.inf)
    if adaptive and median(known) * largest > FLOOR:
        return None
    updates = usual_updates(history)
    if not updates:
        return Unchecked(NO_UPDATES)
    usual = median(known)
    share = sum(value < CLIPPED for value in known) / len(known)
    longest = max(updates.values())
    if usual >= LITTLE or share < MOST or longest > SHORT or has_learned(history):
        return None
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    before = _norm(history)
    size = "" if before is None else f", from a norm of about {before:.2g} to {usual * before:.2g},"
    return Finding(
        rule="clipped_away",
        sentence=(
            f"The gradient is clipped to {100 * usual:.2g} % of itself{size} in "
            f"{100 * share:.0f} % of the watched steps, so that a step changes no layer's weights "
            f"by more than {100 * longest:.2g} % of their norm."
        ),
        steps=(factors.steps[0], factors.steps[-1]),
        evidence=(
            Evidence("gradient at the step over that of backward", usual, LITTLE, above=False),
            Evidence("largest |step| / |w|", longest, SHORT, above=False),
        ),
        strength=min(LITTLE / usual, 1e300),
        grade="cause",
        change=CHANGE.format(limit=1.0 if before is None else float(f"{2 * before:.1g}")),
    )


def _usual_rms(history: History) -> dict[str, float]:
    """The median root mean square of each layer's gradient, before it is clipped."""
    series = series_by_layer(history, GRADIENT_RMS)
    return {name: median(each.finite) for name, each in series.items() if each.finite}


def _norm(history: History) -> float | None:
    """The median norm of the gradient of all layers' weights before it is clipped."""
    sizes = {layer.name: layer.fan_in * layer.fan_out for layer in history.layers}
    squares = [rms**2 * sizes[name] for name, rms in _usual_rms(history).items()]
    return math.sqrt(sum(squares)) if squares else None


CHANGE = (
    "torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm={limit:g})  # only rare large ones"
)
CLIPPED_AWAY = Rule(
    name="clipped_away",
    title="Gradients clipped to nearly nothing",
    find=clipped_away,
    explanation=(
        "A clip is meant for rare large gradients. A limit far below the usual norm shortens all "
        "steps, as a rate would that is smaller by the same factor. Adam hardly notices a clip, "
        "until the gradient is as small as the 1e-8 that it adds before it divides."
    ),
    healthy="A limit near or above the usual norm of the gradient, or an optimizer such as Adam.",
    source="Pascanu, Mikolov, Bengio 2013, arXiv 1211.5063",
    explains=("rate_too_low", "underfitting", "not_learning"),
    remedies=("search_rate",),
    own_loops=True,
    change=CHANGE.format(limit=1.0),
)
