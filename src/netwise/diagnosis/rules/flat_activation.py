"""Hidden activations behind which all samples look alike."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    NO_ACTIVATIONS,
    NO_LAYERS,
    finite_median,
    has_learned,
    no_baseline,
    outcome_known,
)
from netwise.history import History
from netwise.signals import ACTIVATION_SATURATED, OUTPUT_SPREAD
from netwise.tasks import BOUNDED

# Spread of a layer's activations over the samples, in the first steps: sound networks with sigmoids
# have 0.07 and more, and a sixth or more of the spread before the layer.
FLAT, LOSS_OF_SPREAD = 0.05, 0.1
SATURATED = 0.5  # share of activations at their limits: another fault


def activation_flattens(history: History) -> Answer:
    """Find a hidden activation of one sign, as a sigmoid, whose outputs differ far less between the
    samples than its inputs do, in a run that has not learned.

    Its slope is a quarter at most, and its outputs lie about a half, so weak inputs become numbers
    that are all but equal. What comes behind it learns first to use the mean.
    """
    if not history.layers:
        return Unchecked(NO_LAYERS)
    spreads = {layer.name: _first(history, OUTPUT_SPREAD, layer.name) for layer in history.hidden}
    if not any(spread is not None for spread in spreads.values()):
        return Unchecked(NO_ACTIVATIONS)
    if has_learned(history):
        return None
    before: float | None = None
    for layer in history.hidden:
        spread = spreads[layer.name]
        if spread is None:
            continue
        low, _ = BOUNDED.get(layer.activation, (-1.0, 1.0))
        saturated = _first(history, ACTIVATION_SATURATED, layer.name) or 0.0
        is_flat = before is not None and spread < min(FLAT, LOSS_OF_SPREAD * before)
        if before and is_flat and low == 0 and saturated < SATURATED:
            if not outcome_known(history):
                return Unchecked(no_baseline(history))
            return _finding(history, layer.name, layer.activation, spread, spread / before)
        before = spread
    return None


def _first(history: History, signal: str, layer: str) -> float | None:
    series = history.of(signal, layer)
    return None if series is None else finite_median(series.values[:FEWEST])


def _finding(history: History, name: str, activation: str, spread: float, rest: float) -> Finding:
    return Finding(
        rule="activation_flattens",
        sentence=(
            f"Behind the {activation} of {name} the samples differ by {100 * spread:.1f} % of the "
            f"activations, {1 / rest:,.0f} times less than before it: what follows sees hardly any "
            "difference between them."
        ),
        layers=(name,),
        steps=(0, history.ended.step),
        evidence=(
            Evidence(f"spread over the samples behind {name}", spread, FLAT, False, percent=True),
            Evidence("the same over that before the layer", rest, LOSS_OF_SPREAD, False),
        ),
        strength=min(LOSS_OF_SPREAD / max(rest, 1e-9), 1e9),
    )


ACTIVATION_FLATTENS = Rule(
    name="activation_flattens",
    title="A hidden activation that hides the differences between samples",
    find=activation_flattens,
    explanation=(
        "A sigmoid turns inputs near 0 into numbers near a half, with a slope of at most a "
        "quarter. Behind it the samples are almost the same constant, and the layers that follow "
        "have to take it away before they can tell them apart."
    ),
    healthy="A spread over the samples of at least a tenth of that of the layer before.",
    source="LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.4",
    explains=("not_learning", "underfitting"),
    remedies=("use_relu", "use_batch_norm", "use_fitting_init"),
    change=(
        "nn.ReLU()  # or nn.Tanh(), whose outputs lie about 0, in hidden layers\n"
        "# with a sigmoid: nn.BatchNorm1d(width) before it"
    ),
)
