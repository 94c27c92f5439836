"""Vanishing gradient (梯度消失): the nearer a layer is to the input, the slower it learns."""

from __future__ import annotations

from math import isfinite
from statistics import median

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import FEWEST, by_layer, has_learned
from netwise.history import History, Series
from netwise.signals import GRADIENT_RMS

# Set by eye on 120 runs (digits, 6 epochs of SGD(lr=0.1, momentum=0.9), 2-4 hidden layers of 30):
# accuracy above 0.55 had ratios below 16, under 0.35 above 38. The gallery and `tests/rules`
# confirm it on others.
LIMIT = 25.0
TINY = 1e-38  # a gradient of exactly 0 counts too


def vanishing_gradient(history: History) -> Answer:
    """Find a first layer whose gradient is far below the last layer's, in a run that has not
    learned.

    ratio = median over watched steps of rms(g_last) / rms(g_first); found above LIMIT.
    """
    series = by_layer(history, GRADIENT_RMS)
    if not series:
        return Unchecked("no gradients were recorded; call w.step(loss, y) after loss.backward()")
    if len(series) < 2 or has_learned(history):
        return None  # one layer: nothing to vanish through
    names = list(series)
    ratios = ratios_to_last(series[names[0]].values, series[names[-1]].values)
    if len(ratios) < FEWEST:
        return Unchecked(f"{len(ratios)} watched steps have finite gradients; {FEWEST} needed")
    ratio = median(ratios)
    if ratio <= LIMIT:
        return None
    slow = tuple(
        name
        for name in names[:-1]
        if median(ratios_to_last(series[name].values, series[names[-1]].values) or [0.0]) > LIMIT
    )
    each = ratio ** (1 / (len(names) - 1))
    first = series[names[0]]
    return Finding(
        rule="vanishing_gradient",
        sentence=f"{names[0]} gets a gradient {ratio:,.0f} times smaller than {names[-1]}: {each:.1f} times less with each layer.",
        layers=slow or (names[0],),
        steps=(since(first, series[names[-1]]), first.steps[-1]),
        evidence=(Evidence("rms(g_last) / rms(g_first)", ratio, LIMIT),),
        strength=ratio / LIMIT,
    )


def since(near: Series, far: Series) -> int:
    """The first watched step from which the ratio was above LIMIT; the very first where it began
    so."""
    pairs = zip(near.steps, near.values, far.values, strict=False)
    ratios = [
        (step, b / max(a, TINY)) for step, a, b in pairs if isfinite(a) and isfinite(b) and b > 0
    ]
    if median(ratio for _, ratio in ratios[:3]) > LIMIT:
        return near.steps[0]
    return next((max(1, step) for step, ratio in ratios if ratio > LIMIT), near.steps[-1])


def ratios_to_last(near: tuple[float, ...], far: tuple[float, ...]) -> list[float]:
    """far / near at each watched step where both are finite."""
    return [
        b / max(a, TINY)
        for a, b in zip(near, far, strict=False)
        if isfinite(a) and isfinite(b) and b > 0
    ]


VANISHING_GRADIENT = Rule(
    name="vanishing_gradient",
    title="Vanishing gradient",
    find=vanishing_gradient,
    explanation=(
        "On the way back each layer multiplies the gradient by its weights and by the slope of its activation. Where the product is below 1 "
        "(a sigmoid's slope is at most 1/4) the gradient shrinks from layer to layer: the first layers stay as random as they began, and the "
        "later ones learn from what those make of the inputs."
    ),
    healthy="A ratio below 25 between the last and the first layer's gradient; digit networks that learn had 1 to 16.",
    source="Hochreiter 1991; Glorot, Bengio 2010; note 003, claims D01 and L07",
    explains=("not_learning", "underfitting", "rate_too_low"),
    remedies=(
        "use_relu",
        "use_fitting_init",
        "use_batch_norm",
        "use_residual",
        "search_rate",
        "use_adam",
    ),
)
