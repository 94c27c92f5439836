"""Learning rate (学习率) too high or too low: steps that throw the weights about, or hardly move
them."""

from __future__ import annotations

from math import isfinite

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import FEWEST, by_layer, finite_median, has_learned, share_left
from netwise.history import DIVERGED, History
from netwise.signals import GRADIENT_RATIO, UPDATE_RATIO

# change of a layer's weights in one step over their size; sound runs lie near 0.001 and begin below
# 0.15
TOO_FAR = 0.3
BEYOND_COUNTING = 1e38  # about the largest float32
# watched steps: later the weights may have grown so large that no step looks large beside them
EARLY = 10
# of the loss of guessing: Adam's first steps are long, and a run that halved its loss has survived
# them
HALF = 0.5
TOO_SHORT = 1e-4  # the same ratio, for the layer that moves most
LIVE_GRADIENT = (
    1e-2  # gradient over weights: below it, it is the gradient that is small and not the rate
)


def rate_too_high(history: History) -> Answer:
    """Find steps that change a layer's weights by much of their own size, in a run that has not
    learned."""
    series = by_layer(history, UPDATE_RATIO)
    if not series:
        return Unchecked("no steps of the optimizer were recorded")
    left = share_left(history)
    if left is None:
        return Unchecked(
            "it is not known what a constant answer would score: pass the loss function to watch"
        )
    if left < HALF:
        return None
    broke = history.ended.how == DIVERGED
    largest = {
        name: max((_finite(v, broke) for v in s.values[:EARLY]), default=0.0)
        for name, s in series.items()
    }
    usual = {name: finite_median(s.values[:EARLY]) or 0.0 for name, s in series.items()}
    far = (
        largest
        if broke or max(len(s) for s in series.values()) < FEWEST
        else {n: max(usual[n], largest[n] / 10) for n in series}
    )
    worst = max(far, key=lambda name: far[name])
    if far[worst] <= TOO_FAR:
        return None
    steps = series[worst].steps
    return Finding(
        rule="rate_too_high",
        sentence=f"One step changes the weights of {worst} by {_size(far[worst])} their size{_rate(history)}.",
        layers=tuple(name for name in far if far[name] > TOO_FAR),
        steps=(max(1, steps[0]), steps[-1]),
        evidence=(Evidence(f"|step| / |w| of {worst}", far[worst], TOO_FAR),),
        strength=far[worst] / TOO_FAR,
    )


def rate_too_low(history: History) -> Answer:
    """Find steps that move no layer's weights although gradients arrive, in a run that has not
    learned."""
    moves, pulls = by_layer(history, UPDATE_RATIO), by_layer(history, GRADIENT_RATIO)
    if not moves or not pulls:
        return Unchecked("no steps of the optimizer were recorded")
    if share_left(history) is None:
        return Unchecked(
            "it is not known what a constant answer would score: pass the loss function to watch"
        )
    if has_learned(history) or history.ended.how == DIVERGED:
        return None
    if max(len(s) for s in moves.values()) < FEWEST:
        return Unchecked(f"fewer than {FEWEST} steps were watched")
    # Steps that moved nothing at all are accumulated ones, or none of the optimizer's: another
    # rule's matter.
    moved = {name: finite_median(v for v in s.values if v > 0) or 0.0 for name, s in moves.items()}
    pull = max(finite_median(s.values) or 0.0 for s in pulls.values())
    most = max(moved, key=lambda name: moved[name])
    if not 0 < moved[most] < TOO_SHORT or pull < LIVE_GRADIENT:
        return None
    steps = moves[most].steps
    return Finding(
        rule="rate_too_low",
        sentence=f"A step changes no layer's weights by more than {100 * moved[most]:.2g} % of their size, though gradients arrive{_rate(history)}.",
        steps=(steps[0], steps[-1]),
        evidence=(
            Evidence("largest |step| / |w|", moved[most], TOO_SHORT, above=False),
            Evidence("largest |g| / |w|", pull, LIVE_GRADIENT),
        ),
        strength=TOO_SHORT / moved[most],
    )


def _finite(ratio: float, broke: bool) -> float:
    """An infinite ratio is a step beyond counting in a run that broke; elsewhere it is a step from
    weights of 0."""
    if isfinite(ratio):
        return ratio
    return BEYOND_COUNTING if broke and ratio > 0 else 0.0


def _size(ratio: float) -> str:
    return (
        f"{100 * ratio:.0f} % of"
        if ratio < 5
        else f"{ratio:,.0f} times"
        if ratio < 1e6
        else f"{ratio:.1e} times"
    )


def _rate(history: History) -> str:
    return f" (learning rate {history.facts.rate:g})" if history.facts.rate is not None else ""


RATE_TOO_HIGH = Rule(
    name="rate_too_high",
    title="Learning rate too high",
    find=rate_too_high,
    explanation=(
        "A step is only right near where its gradient was taken. One that changes weights by much of their own size lands on the far side of "
        "the valley or outside of it: the loss swings, jumps or stops being a number, units die or saturate."
    ),
    healthy="Steps of about a thousandth of the weights, and below a sixth even in the first ones.",
    source="Bottou, Curtis, Nocedal 2018, section 4; note 004, claims D07, S06 and L11",
    explains=(
        "dead_relu",
        "saturation",
        "exploding_gradient",
        "vanishing_gradient",
        "not_learning",
        "underfitting",
        "overfitting",
    ),
    remedies=("search_rate", "lower_rate", "use_adam"),
)
RATE_TOO_LOW = Rule(
    name="rate_too_low",
    title="Learning rate too low",
    find=rate_too_low,
    explanation="Gradients arrive, but the rate makes so little of them that the weights stay where they began: the run would need a thousand times the steps.",
    healthy="Steps of about a thousandth of the weights.",
    source="note 004, claim S06",
    explains=("not_learning", "underfitting"),
    remedies=("search_rate", "use_adam"),
)
