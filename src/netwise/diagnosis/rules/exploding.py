"""Exploding gradient (梯度爆炸): it grows on its way back, or is huge before the first step is
taken."""

from __future__ import annotations

from math import hypot, isfinite
from statistics import median

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import FEWEST, by_layer, finite_median, has_learned
from netwise.history import DIVERGED, History
from netwise.signals import ACTIVATION_MEAN, ACTIVATION_STD, GRADIENT_RATIO, GRADIENT_RMS, LOSS

GROWTH = 70.0  # rms(g_first) / rms(g_last): AUTOTRAINER's line (Zhang et al. 2021)
# Gradient over weights before any update. Sound starts lie between 0.01 and 1: nets of the gallery
# below 0.7.
AT_START = 30.0
FAR_OFF = 5.0  # first loss over that of guessing, or outputs over targets; sound starts lie below 2


def exploding_gradient(history: History) -> Answer:
    """Find gradients that grow towards the input, or that dwarf the weights at the very start; in a
    run that has not learned."""
    sizes, shares = by_layer(history, GRADIENT_RMS), by_layer(history, GRADIENT_RATIO)
    if not sizes:
        return Unchecked("no gradients were recorded; call w.step(loss, y) after loss.backward()")
    if has_learned(history):
        return None
    names = list(sizes)
    first, last = sizes[names[0]], sizes[names[-1]]
    start = {
        name: series.values[0]
        for name, series in shares.items()
        if series.steps[0] == first.steps[0] and isfinite(series.values[0])
    }
    worst = max(start, key=lambda name: start[name], default="")
    if worst and start[worst] > AT_START and _starts_far_off(history):
        return Finding(
            rule="exploding_gradient",
            sentence=f"Before the first step the gradient of {worst} is {start[worst]:,.0f} times as large as its weights.",
            layers=tuple(name for name in names if start.get(name, 0.0) > AT_START),
            steps=(first.steps[0], first.steps[-1]),
            evidence=(Evidence("|g| / |w| at the start", start[worst], AT_START),),
            strength=start[worst] / AT_START,
        )
    ratios = [
        a / b
        for a, b in zip(first.values, last.values, strict=False)
        if isfinite(a) and isfinite(b) and b > 0
    ]
    if len(ratios) < FEWEST:
        if history.ended.how == DIVERGED:
            return None  # it broke at once, and not by a large gradient: a matter of the step
        return Unchecked(f"{len(ratios)} watched steps have finite gradients; {FEWEST} needed")
    ratio = median(ratios)
    if len(names) < 2 or ratio <= GROWTH:
        return None
    size = finite_median(first.values) or 0.0
    return Finding(
        rule="exploding_gradient",
        sentence=f"{names[0]} gets a gradient {ratio:,.0f} times larger than {names[-1]} (rms {size:.2g}).",
        layers=tuple(
            name
            for name in names[:-1]
            if (finite_median(sizes[name].values) or 0.0)
            > GROWTH * (finite_median(last.values) or 0.0)
        )
        or (names[0],),
        steps=(first.steps[0], first.steps[-1]),
        evidence=(Evidence("rms(g_first) / rms(g_last)", ratio, GROWTH),),
        strength=ratio / GROWTH,
    )


def _starts_far_off(history: History) -> bool:
    """The first loss is far above guessing, and it is the network's own outputs that are huge, not
    the targets."""
    facts = history.facts
    if (
        facts.class_targets is False
        and facts.target_mean is not None
        and facts.target_std is not None
    ):
        last = history.layers[-1].name
        mean, spread = history.of(ACTIVATION_MEAN, last), history.of(ACTIVATION_STD, last)
        if mean is not None and spread is not None:
            return not hypot(mean.values[0], spread.values[0]) <= FAR_OFF * hypot(
                facts.target_mean, facts.target_std
            )
    loss, guess = history.of(LOSS), history.facts.loss_of_guessing
    return loss is None or guess is None or not loss.values[0] <= FAR_OFF * guess


EXPLODING_GRADIENT = Rule(
    name="exploding_gradient",
    title="Exploding gradient",
    find=exploding_gradient,
    explanation=(
        "Where weights times slopes are above 1 the gradient grows from layer to layer on its way back. A step then throws the weights far "
        "from where they were, whatever rate suits the last layers, and the loss jumps or stops being a number."
    ),
    healthy="Gradients of all layers within about ten times each other, and below the size of the weights at the start.",
    source="Pascanu, Mikolov, Bengio 2013, arXiv 1211.5063; note 000, claims G05 and L67",
    explains=("rate_too_high", "dead_relu", "not_learning", "underfitting"),
    remedies=("use_fitting_init", "use_batch_norm", "search_rate", "lower_rate", "clip_gradient"),
)
