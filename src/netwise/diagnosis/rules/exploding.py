"""Exploding gradient (梯度爆炸): it grows on its way back through the layers, or is huge before the
first step."""

from __future__ import annotations

from math import hypot, isfinite
from statistics import median

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    NO_GRADIENTS,
    finite_median,
    has_learned,
    if_outcome_known,
    series_by_layer,
    too_few_steps,
)
from netwise.diagnosis.rules.target_scale import size_of_targets, spread_at_start
from netwise.history import DIVERGED, History, Series
from netwise.signals import ACTIVATION_MEAN, ACTIVATION_STD, GRADIENT_RATIO, GRADIENT_RMS, LOSS

GROWTH = 70.0  # rms(g_first) / rms(g_last): the limit of AUTOTRAINER (Zhang et al. 2021)
# |g| / |w| before any update. Networks of the gallery that learn start between 0.01 and 0.7.
AT_START = 30.0
# First loss over that of guessing, or outputs over targets; below 2 in networks that learn.
FAR_OFF = 5.0


@if_outcome_known
def exploding_gradient(history: History) -> Answer:
    """Find gradients that are huge before the first step or grow towards the input, in a run that
    has not learned."""
    gradients = series_by_layer(history, GRADIENT_RMS)
    if not gradients:
        return Unchecked(NO_GRADIENTS)
    if has_learned(history):
        return None
    return _huge_at_start(history, gradients) or _growing(history, gradients)


def _huge_at_start(history: History, gradients: dict[str, Series]) -> Finding | None:
    """|g| / |w| of the first watched step, in a network whose first outputs are far off."""
    first = next(iter(gradients.values()))
    ratios = {
        name: series.values[0]
        for name, series in series_by_layer(history, GRADIENT_RATIO).items()
        if series.steps[0] == first.steps[0] and isfinite(series.values[0])
    }
    worst = max(ratios, key=lambda name: ratios[name], default="")
    if not worst or ratios[worst] <= AT_START or not _starts_far_off(history):
        return None
    return Finding(
        rule="exploding_gradient",
        sentence=(
            f"Before the first step the gradient of {worst} is {ratios[worst]:,.0f} times as large "
            "as its weights."
        ),
        layers=tuple(name for name in gradients if ratios.get(name, 0.0) > AT_START),
        steps=(first.steps[0], first.steps[-1]),
        evidence=(Evidence("|g| / |w| at the start", ratios[worst], AT_START),),
        strength=ratios[worst] / AT_START,
    )


def _growing(history: History, gradients: dict[str, Series]) -> Answer:
    """The median over watched steps of rms(g_first) / rms(g_last)."""
    names = list(gradients)
    first, last = gradients[names[0]], gradients[names[-1]]
    ratios = [
        a / b
        for a, b in zip(first.values, last.values, strict=False)
        if isfinite(a) and isfinite(b) and b > 0
    ]
    if len(ratios) < FEWEST:
        if history.ended.how == DIVERGED:
            return None  # it diverged at once, and not by a large gradient: the step was too long
        return Unchecked(too_few_steps(len(ratios)))
    ratio = median(ratios)
    if len(names) < 2 or ratio <= GROWTH:
        return None
    size = finite_median(first.values) or 0.0
    limit = GROWTH * (finite_median(last.values) or 0.0)
    large = [n for n in names[:-1] if (finite_median(gradients[n].values) or 0.0) > limit]
    return Finding(
        rule="exploding_gradient",
        sentence=(
            f"The gradient of {names[0]} is {ratio:,.0f} times as large as that of {names[-1]} "
            f"(rms {size:.2g})."
        ),
        layers=tuple(large) or (names[0],),
        steps=(first.steps[0], first.steps[-1]),
        evidence=(Evidence("rms(g_first) / rms(g_last)", ratio, GROWTH),),
        strength=ratio / GROWTH,
    )


def _starts_far_off(history: History) -> bool:
    """Whether the first loss is far above that of guessing because the network's outputs are huge,
    and not because the targets are."""
    facts = history.facts
    if (
        facts.class_targets is False
        and facts.target_mean is not None
        and facts.target_std is not None
    ):
        last = history.layers[-1].name
        mean, spread = history.of(ACTIVATION_MEAN, last), history.of(ACTIVATION_STD, last)
        if mean is not None and spread is not None:
            outputs = hypot(mean.values[0], spread.values[0])
            return not outputs <= FAR_OFF * hypot(facts.target_mean, facts.target_std)
    # In a loss of several parts the targets of one may be far from all outputs.
    terms = () if history.wiring is None else history.wiring.losses
    largest = spread_at_start(history)
    if largest is not None and largest <= max(map(size_of_targets, terms), default=0.0):
        return False
    loss, guess = history.of(LOSS), history.facts.loss_of_guessing
    return loss is None or guess is None or not loss.values[0] <= FAR_OFF * guess


EXPLODING_GRADIENT = Rule(
    name="exploding_gradient",
    title="Exploding gradient",
    find=exploding_gradient,
    explanation=(
        "Where weights times slopes are above 1, the gradient grows from layer to layer on its way "
        "back. A learning rate that suits the last layers is then far too high for the first ones: "
        "the loss jumps or becomes nan."
    ),
    healthy=(
        "Gradients of all layers within a factor of ten of each other, and smaller than the "
        "weights at the start."
    ),
    source="Pascanu, Mikolov, Bengio 2013, arXiv 1211.5063",
    explains=("rate_too_high", "dead_relu", "not_finite", "not_learning", "underfitting"),
    remedies=("use_fitting_init", "use_batch_norm", "search_rate", "lower_rate", "clip_gradient"),
    change=(
        "loss.backward()\n"
        "torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)\n"
        "optimizer.step()"
    ),
)
