"""Symmetric initialization: units of a layer with equal weights stay equal in training."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    NO_LAYERS,
    has_just_begun,
    has_learned,
    no_baseline,
    outcome_known,
    too_few_steps,
)
from netwise.history import History
from netwise.signals import UNITS_EQUAL, WEIGHT_NORM


def start_symmetric(history: History) -> Answer:
    """Find hidden layers all of whose units had the same weights at the start and, where that was
    recorded, still have at the end; in a run that has not learned.

    The last layer may start at zero, and so may a linear model: their outputs have different
    targets. So may one of two branches that are added or multiplied, as in LoRA: its units become
    different with the first step. Units that start with the same weights other than zero compute
    the same, and differ only by what the next layer sends back: most of the run is lost.
    """
    if not history.layers:
        return Unchecked(NO_LAYERS)
    if has_learned(history):
        return None
    equal = [layer.name for layer in history.hidden if layer.equal_units and layer.trainable]
    later = {name: history.of(UNITS_EQUAL, name) for name in equal}
    recorded = {name: each for name, each in later.items() if each is not None and len(each)}
    still = tuple(name for name in equal if name not in recorded or recorded[name].last > 0)
    if not still:
        return _equal_and_not_zero(history, equal)
    if any(name not in recorded for name in still):
        if not outcome_known(history):
            return Unchecked(no_baseline(history))
    else:
        count = max(len(recorded[name]) for name in still)
        if count < FEWEST and not has_just_begun(history):
            return Unchecked(too_few_steps(count, "watched steps"))
    return Finding(
        rule="start_symmetric",
        sentence=(
            f"All units of {', '.join(still)} start with the same weights, so they get the same "
            "gradient and stay equal."
        ),
        layers=still,
        steps=(0, history.ended.step),
        evidence=(Evidence("hidden layers whose units are equal", float(len(still)), 0.0),),
        strength=float(len(still)),
    )


def _equal_and_not_zero(history: History, equal: list[str]) -> Answer:
    """Layers whose units became different later, and started with equal weights that are not 0."""
    norms = {name: history.of(WEIGHT_NORM, name) for name in equal}
    layers = tuple(name for name, norm in norms.items() if norm is not None and norm.values[0] > 0)
    if not layers:
        return None
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    return Finding(
        rule="start_symmetric",
        sentence=(
            f"All units of {', '.join(layers)} start with the same weights, other than 0: they "
            "compute the same, and become different only through the layer behind them."
        ),
        layers=layers,
        steps=(0, history.ended.step),
        evidence=(Evidence("hidden layers whose units start equal", float(len(layers)), 0.0),),
        strength=float(len(layers)),
    )


START_SYMMETRIC = Rule(
    name="start_symmetric",
    title="Symmetric initialization",
    find=start_symmetric,
    explanation=(
        "Units with equal weights compute the same and get the same gradient, so the layer stays "
        "as good as a single unit. Only random initial weights break the symmetry."
    ),
    healthy="The rows of every weight matrix differ from the first step on.",
    source="Goodfellow, Bengio, Courville 2016, section 8.4",
    explains=(
        "constant_output",
        "dead_at_start",
        "dead_relu",
        "saturation",
        "vanishing_gradient",
        "exploding_gradient",
        "rate_too_high",
        "rate_too_low",
        "not_learning",
        "underfitting",
    ),
    remedies=("use_fitting_init",),
    change=(
        "for layer in model.modules():\n"
        '    if hasattr(layer, "reset_parameters"):\n'
        "        layer.reset_parameters()  # random weights; biases may be 0"
    ),
)
