"""Weights that never move although gradients reach them: the optimizer does not have them."""

from __future__ import annotations

from netwise.history import History
from netwise.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.rules.outcome import FEWEST, by_layer, middle
from netwise.signals import GRADIENT_RATIO, UPDATE_RATIO

LIVE_GRADIENT = 1e-4  # gradient over weights: a thousand times what rounding could hide at usual rates


def weights_stand_still(history: History) -> Answer:
    """Find layers that got a gradient on every watched step and did not move on any."""
    moves, pulls = by_layer(history, UPDATE_RATIO), by_layer(history, GRADIENT_RATIO)
    if not moves:
        return Unchecked("no steps of the optimizer were recorded")
    if max(len(s) for s in moves.values()) < FEWEST:
        return Unchecked(f"fewer than {FEWEST} steps were watched")
    rate = history.facts.rate
    if rate == 0:
        return None
    # A step far below the weights' last digit is rounded away: that is a small gradient, not a missing optimizer.
    still = [name for name, s in moves.items() if not any(s.values) and (middle(pulls[name].values) or 0.0) > LIVE_GRADIENT]
    if not still:
        return None
    which = "No layer's weights have" if len(still) == len(moves) else f"The weights of {', '.join(still)} have not"
    rest = " moved in any step, though gradients arrive."
    return Finding(
        rule="weights_stand_still",
        sentence=which + rest,
        layers=tuple(still),
        steps=(moves[still[0]].steps[0], moves[still[0]].steps[-1]),
        evidence=(Evidence("layers that never moved", float(len(still)), 0.0),),
        strength=float(len(still)),
    )


RULE = Rule(
    name="weights_stand_still",
    title="Weights outside of the optimizer",
    find=weights_stand_still,
    explanation=(
        "Gradients are computed for these weights and no step is taken with them: the optimizer was built before the layer was replaced, on "
        "another copy of the model, or without it."
    ),
    source="Zhang et al. 2018, An empirical study on TensorFlow program bugs; findings catalogue, not_connected",
    explains=("vanishing_gradient", "not_learning", "underfitting", "rate_too_low", "rate_too_high", "exploding_gradient"),
)
