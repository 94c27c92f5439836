"""Targets of a scale that the first outputs of a network are far from."""

from __future__ import annotations

from netwise.diagnosis.rules.better_models import beaten_by_simple_models, scale_may_harm
from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import no_baseline, outcome_known
from netwise.history import History
from netwise.signals import ACTIVATION_STD

FAR = 30.0  # size of the targets: a network's first outputs have a standard deviation near 1
REACH = 30.0  # size of the targets over the standard deviation of the first outputs


def target_not_scaled(history: History) -> Answer:
    """Find regression targets far larger than the network's first outputs, in a run that has not
    learned, or less than a simple model of standardised data."""
    answer = _of_scale(history)
    known = outcome_known(history) or beaten_by_simple_models(history)
    if isinstance(answer, Finding) and not known:
        return Unchecked(no_baseline(history))
    return answer


def _of_scale(history: History) -> Answer:
    facts = history.facts
    if facts.class_targets is None:
        return Unchecked("the targets are not known: pass them to w.step(loss, y)")
    if (
        facts.class_targets
        or facts.target_mean is None
        or facts.target_std is None
        or not scale_may_harm(history)
    ):
        return None
    spread = history.of(ACTIVATION_STD, history.layers[-1].name) if history.layers else None
    if spread is None:
        return Unchecked("no outputs were recorded: call w.step(loss, y) after loss.backward()")
    size = max(abs(facts.target_mean), facts.target_std)
    ratio = size / max(spread.values[0], 1e-12)
    if size <= FAR or not ratio > REACH:
        return None
    return Finding(
        rule="target_not_scaled",
        sentence=(
            f"The targets have mean {facts.target_mean:,.3g} and standard deviation "
            f"{facts.target_std:,.3g}; the standard deviation of the first outputs is "
            f"{spread.values[0]:.3g}."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("larger of |mean| and standard deviation of the targets", size, FAR),
            Evidence("the same over the standard deviation of the first outputs", ratio, REACH),
        ),
        strength=size / FAR,
        change=(
            f"mean, std = y_train.mean(0), y_train.std(0)   # {facts.target_mean:,.4g} and "
            f"{facts.target_std:,.4g}\n"
            "y_train, y_valid = (y_train - mean) / std, (y_valid - mean) / std\n"
            "prediction = model(x) * std + mean"
        ),
    )


TARGET_NOT_SCALED = Rule(
    name="target_not_scaled",
    title="Unscaled targets",
    find=target_not_scaled,
    explanation=(
        "The first outputs of a network are around 0 with a standard deviation near 1. Targets in "
        "the hundreds make the first loss and its gradients huge, so that steps are too long; or "
        "training takes very many steps."
    ),
    healthy="Targets of a few times the standard deviation of the network's first outputs.",
    source="LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.5",
    explains=(
        "gradient_zero",
        "not_finite",
        "saturation",
        "dead_relu",
        "exploding_gradient",
        "vanishing_gradient",
        "rate_too_high",
        "rate_too_low",
        "overfitting",
        "underfitting",
        "not_learning",
    ),
    tasks=WITH_TARGETS,
    remedies=("scale_targets",),
    change=(
        "mean, std = y_train.mean(0), y_train.std(0)\n"
        "y_train, y_valid = (y_train - mean) / std, (y_valid - mean) / std"
    ),
)
