"""The output layer, the loss and the targets do not fit each other: the most common fault of
programs that do not learn."""

from __future__ import annotations

from math import inf

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import has_learned
from netwise.history import History, RunFacts
from netwise.signals import ACTIVATION_STD
from netwise.tasks import BOUNDED, OF_LOGITS, OF_PROBABILITIES, OF_SIGMOID_LOGITS, SQUARED

PROBABILITIES = ("Softmax", "Sigmoid", "Hardsigmoid")
RANGES = {**BOUNDED, "Softmax": (0.0, 1.0), "ReLU": (0.0, inf)}
REACH = 30.0  # targets over the spread of the outputs at the start: the catalogue's line
FAR = 30.0  # and above it in themselves: a spread of 1 is what a fresh network is made for


def output_misfits_loss(history: History) -> Answer:
    """Find an output activation that the loss or the targets cannot go with, in a run that has not
    learned."""
    if not history.layers or history.facts.loss_kind is None:
        return Unchecked(
            "the loss is not known: pass the loss function to watch, and the targets to w.step"
        )
    last, facts = history.layers[-1], history.facts
    if has_learned(history):
        return None
    wrong = _wrong_output(last.activation, last.fan_out, facts)
    if not wrong:
        return None
    return Finding(
        rule="output_misfits_loss",
        sentence=wrong,
        layers=(last.name,),
        steps=(0, history.ended.step),
        evidence=(
            Evidence(
                f"outputs of {last.name} ({last.activation or 'unknown'}) that the loss cannot go with",
                float(last.fan_out),
                0.0,
            ),
        ),
    )


def _wrong_output(activation: str, units: int, facts: RunFacts) -> str:
    if activation == "Softmax" and units == 1:
        return "Softmax over a single output is always 1, whatever the input."
    if activation == "Softmax" and facts.loss_kind == OF_LOGITS:
        return "The outputs go through softmax twice: once in the network, once more in the loss, which takes logits."
    if activation in ("Sigmoid", "Tanh", "ReLU") and facts.loss_kind == OF_LOGITS:
        return f"The outputs go through {activation} before a loss that takes logits: they cannot get far enough from each other to be sure."
    if activation in ("Sigmoid", "Softmax", "ReLU") and facts.loss_kind == OF_SIGMOID_LOGITS:
        return f"The outputs go through {activation} before a loss that takes logits and applies the sigmoid itself."
    if facts.loss_kind == OF_PROBABILITIES and activation and activation not in PROBABILITIES:
        return f"The loss takes the logarithm of a probability, and {activation} outputs are none."
    low, high = RANGES.get(activation, (-inf, inf))
    if (
        facts.target_low is not None
        and facts.target_high is not None
        and (facts.target_low < low - 0.01 or facts.target_high > high + 0.01)
    ):
        return f"The targets lie from {facts.target_low:.3g} to {facts.target_high:.3g}, and {activation} outputs only from {low:g} to {high:g}."
    return ""


def loss_misfits_task(history: History) -> Answer:
    """Find a squared error on classes, in a run that has not learned."""
    facts = history.facts
    if facts.loss_kind is None or facts.class_targets is None:
        return Unchecked(
            "the loss is not known: pass the loss function to watch, and the targets to w.step"
        )
    if has_learned(history) or not facts.class_targets or facts.loss_kind != SQUARED:
        return None
    return Finding(
        rule="loss_misfits_task",
        sentence="The loss is a squared error, and the targets are classes.",
        steps=(0, history.ended.step),
        evidence=(Evidence("gradient at the outputs parallel to out - onehot", 1.0, 0.9999),),
    )


def target_not_scaled(history: History) -> Answer:
    """Find targets of regression far from what the outputs can reach in usual steps, in a run that
    has not learned."""
    facts = history.facts
    if facts.class_targets is None:
        return Unchecked("the targets are not known: pass them to w.step")
    if (
        facts.class_targets
        or facts.target_mean is None
        or facts.target_std is None
        or has_learned(history)
    ):
        return None
    spread = history.of(ACTIVATION_STD, history.layers[-1].name) if history.layers else None
    if spread is None:
        return Unchecked("no outputs were recorded")
    size = max(abs(facts.target_mean), facts.target_std)
    reach = size / max(spread.values[0], 1e-12)
    if size <= FAR or not reach > REACH:
        return None
    return Finding(
        rule="target_not_scaled",
        sentence=(
            f"The targets have mean {facts.target_mean:,.3g} and spread {facts.target_std:,.3g}; the outputs begin with a spread of {spread.values[0]:.3g}."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("size of the targets", size, FAR),
            Evidence("over the spread of the outputs", reach, REACH),
        ),
        strength=size / FAR,
    )


_ALL_BEHIND = (
    "saturation",
    "dead_relu",
    "exploding_gradient",
    "vanishing_gradient",
    "rate_too_high",
    "rate_too_low",
    "overfitting",
    "underfitting",
    "not_learning",
)
OUTPUT_MISFITS_LOSS = Rule(
    name="output_misfits_loss",
    title="Output that does not fit the loss",
    find=output_misfits_loss,
    explanation=(
        "A loss expects its inputs in a certain form: logits, probabilities, or values in the targets' range. Given another form it still gives a "
        "number and a gradient, but one that fades or points nowhere."
    ),
    healthy="Logits into a cross-entropy that takes logits; targets inside the range of the output.",
    source="Islam et al. 2019, A comprehensive study on deep learning bug characteristics; note 004, claim A09",
    explains=_ALL_BEHIND,
    tasks=WITH_TARGETS,
    remedies=("scale_targets", "use_plain_output", "use_cross_entropy"),
)
LOSS_MISFITS_TASK = Rule(
    name="loss_misfits_task",
    title="Squared error on classes",
    find=loss_misfits_task,
    explanation=(
        "Through a sigmoid or softmax the gradient of a squared error carries the slope of that function, which is almost 0 exactly where an answer "
        "is very wrong. Cross-entropy has no such factor."
    ),
    healthy="The gradient at the outputs is softmax(out) - onehot: largest where an answer is most wrong.",
    source="note 004, claims C02, D09, L01 and L02",
    explains=_ALL_BEHIND,
    tasks=WITH_TARGETS,
    remedies=("use_cross_entropy",),
)
TARGET_NOT_SCALED = Rule(
    name="target_not_scaled",
    title="Targets out of reach",
    find=target_not_scaled,
    explanation=(
        "A fresh network answers with numbers around 0 of a spread near 1. Targets of hundreds make a huge first loss, huge gradients and steps "
        "that overshoot, or a long way."
    ),
    healthy="Targets within a few times the spread of the network's first outputs.",
    source="LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.5",
    explains=_ALL_BEHIND,
    tasks=WITH_TARGETS,
    remedies=("scale_targets",),
)
