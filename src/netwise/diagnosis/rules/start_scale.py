"""Weights that start far too large or far too small for the signal to pass through the layers."""

from __future__ import annotations

import math
from statistics import median

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.layer_sizes import TABLES, gains
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.diagnosis.rules.outcome import has_learned, no_baseline, outcome_known
from netwise.history import History
from netwise.signals import (
    ACTIVATION_MEAN,
    ACTIVATION_SATURATED,
    ACTIVATION_STD,
    INPUT_MEAN,
    INPUT_STD,
    LOSS,
    OUTPUT_SPREAD,
    WEIGHT_NORM,
)

# Median over the layers of rms(w) * sqrt(fan_in). Sound programs start between 0.5 and 1.6, those
# with weights times 10 to 40 above 7, those with weights divided by 30 and more below 0.02. Normal
# weights of 0.05, once a usual default, start at 0.04 with one input, and sine layers at 0.05.
LARGE_GAIN = 3.0
SMALL_GAIN = 0.025
# First loss over that of guessing: below 3.4 in sound programs, 13 and more in those that start too
# large. Scaled parametrizations (NTK) have large weights and sound outputs.
FAR_OFF = 4.0
SATURATED = 0.5  # share of a layer's outputs at their limits
# Weights that are small by less fade with depth: below half of torch's start in the median, so that
# before the last layer hardly anything is left of how inputs differ. Normalization and branches
# that skip layers keep it.
LOW_GAIN = 0.3
DEEP = 4  # layers
LOST = 1e-3
FADED = 0.05  # outputs over inputs at the start: a tenth and more in sound programs
LARGE_INPUT = 10.0  # inputs beyond it are a fault of their own
NO_START = "the norms of the weights before the first step were not recorded"


def start_too_large(history: History) -> Answer:
    """Find weights that start several times too large in most layers, where the first outputs show
    it: the first loss is far above that of guessing, or a layer is saturated. In a run that has not
    learned."""
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    start = gains(history)
    if not start:
        return _large_tables(history) or Unchecked(NO_START)
    gain = median(start.values())
    if gain <= LARGE_GAIN or has_learned(history) or _inputs_are_large(history):
        return None
    harm = _starts_far_off(history) or _starts_saturated(history)
    if harm is None:
        return None if outcome_known(history) else Unchecked(no_baseline(history))
    text, evidence = harm
    worst = max(start, key=lambda name: start[name])
    return Finding(
        rule="start_too_large",
        sentence=(
            f"The weights start {gain:.3g} times as large as the root of 1 / fan_in (median over "
            f"the layers; {start[worst]:.3g} in {worst}), {text}"
        ),
        layers=tuple(name for name in start if start[name] > LARGE_GAIN),
        steps=(0, history.ended.step),
        evidence=(Evidence("rms(w) * sqrt(fan_in) at the start", gain, LARGE_GAIN), evidence),
        strength=gain / LARGE_GAIN,
        grade="cause",
    )


def _large_tables(history: History) -> Finding | None:
    """Embeddings far larger than those that torch draws, and a first loss far above that of
    guessing, in a network of tables alone, which has no other weights to blame."""
    sizes = {}
    for layer in history.layers:
        norms = history.of(WEIGHT_NORM, layer.name)
        if layer.kind not in TABLES or norms is None or not norms.values or norms.steps[0] > 0:
            return None
        sizes[layer.name] = norms.values[0] / math.sqrt(max(layer.fan_in * layer.fan_out, 1))
    harm = _starts_far_off(history)
    worst = max(sizes, key=lambda name: sizes[name], default="")
    if not worst or sizes[worst] <= LARGE_GAIN or harm is None or has_learned(history):
        return None
    text, evidence = harm
    return Finding(
        rule="start_too_large",
        sentence=(
            f"The embeddings of {worst} start with the standard deviation {sizes[worst]:.3g}, and "
            f"{text.removeprefix('and ')} Start them with 0.1, or with 1 over the root of their "
            "length."
        ),
        layers=tuple(name for name in sizes if sizes[name] > LARGE_GAIN),
        steps=(0, history.ended.step),
        evidence=(Evidence("root mean square of embeddings", sizes[worst], LARGE_GAIN), evidence),
        strength=sizes[worst] / LARGE_GAIN,
        grade="cause",
        change="nn.init.normal_(model.embedding.weight, std=0.1)  # after the model is made",
    )


def _starts_far_off(history: History) -> tuple[str, Evidence] | None:
    losses, guess = history.of(LOSS), history.facts.loss_of_guessing
    if losses is None or not guess or guess <= 0:
        return None
    ratio = losses.values[0] / guess
    if not ratio > FAR_OFF:
        return None
    return (
        f"and the first loss is {ratio:,.3g} times that of the best constant prediction.",
        Evidence("first loss over that of guessing", ratio, FAR_OFF),
    )


def _starts_saturated(history: History) -> tuple[str, Evidence] | None:
    shares = {
        layer.name: series.values[0]
        for layer in history.hidden
        if (series := history.of(ACTIVATION_SATURATED, layer.name)) is not None and series.values
    }
    worst = max(shares, key=lambda name: shares[name], default="")
    if not worst or not shares[worst] > SATURATED:
        return None
    return (
        f"and {100 * shares[worst]:.0f} % of the outputs of {worst} start at their limits.",
        Evidence(f"saturated outputs of {worst}", shares[worst], SATURATED, percent=True),
    )


def start_too_small(history: History) -> Answer:
    """Find weights that start many times too small in most layers, or too small for the depth, so
    that the outputs hardly depend on the inputs; in a run that has not learned."""
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    start = gains(history)
    if not start:
        return Unchecked(NO_START)
    gain = median(start.values())
    equal = any(layer.equal_units for layer in history.hidden)  # a fault of its own
    if gain >= LOW_GAIN or len(start) < 2 or equal or has_learned(history):
        return None
    passed = _passed(history)
    if passed is None:
        return Unchecked("the sizes of the inputs or outputs at the start were not recorded")
    if gain >= SMALL_GAIN:
        # Without the last layer, which is made small on purpose.
        passed /= start.get(history.layers[-1].name, 0.0) or math.inf
        if len(start) < DEEP or not 0 < passed < LOST:
            return None
    if passed >= FADED:
        return None  # such as sine layers, whose factor stands in the activation
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    limit, least = (SMALL_GAIN, FADED) if gain < SMALL_GAIN else (LOW_GAIN, LOST)
    return Finding(
        rule="start_too_small",
        sentence=(
            f"The weights start at {gain:.2g} of the root of 1 / fan_in (median over the layers), "
            f"so the first outputs vary by {passed:.1g} of what the inputs vary by: signal and "
            "gradient shrink with each layer."
        ),
        layers=tuple(name for name in start if start[name] < limit),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("rms(w) * sqrt(fan_in) at the start", gain, limit, above=False),
            Evidence("variation of outputs over that of inputs", passed, least, above=False),
        ),
        strength=min(limit / gain, 1e300),
        grade="cause",
    )


def _passed(history: History) -> float | None:
    """How much the last layer's outputs vary over the samples of the first batch, over what the
    inputs vary by; those that are rows of a table vary by 1."""
    last = history.layers[-1].name
    names = (ACTIVATION_MEAN, ACTIVATION_STD, OUTPUT_SPREAD)
    outputs = [series.values[0] for n in names if (series := history.of(n, last)) is not None]
    spread = history.of(INPUT_STD)
    table = history.layers[0].kind in TABLES
    inputs = 1.0 if table else spread.values[0] if spread is not None else 0.0
    if len(outputs) < len(names) or not inputs > 0:
        return None
    ratio = math.hypot(outputs[0], outputs[1]) * outputs[2] / inputs
    return ratio if math.isfinite(ratio) else None


def _inputs_are_large(history: History) -> bool:
    if history.layers and history.layers[0].kind in TABLES:
        return False
    mean, spread = history.of(INPUT_MEAN), history.of(INPUT_STD)
    if mean is None or spread is None:
        return False
    return not math.hypot(mean.values[0], spread.values[0]) <= LARGE_INPUT


CONSEQUENCES = (
    "saturation",
    "dead_relu",
    "exploding_gradient",
    "vanishing_gradient",
    "gradient_zero",
    "rate_too_high",
    "rate_too_low",
    "not_finite",
    "overfitting",
    "underfitting",
    "not_learning",
)
CHANGE = (
    "for layer in model.modules():  # before the optimizer is made\n"
    "    if isinstance(layer, (nn.Linear, nn.Conv2d)):\n"
    '        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")\n'
    "        if layer.bias is not None:\n"
    "            nn.init.zeros_(layer.bias)"
)
START_TOO_LARGE = Rule(
    name="start_too_large",
    title="Weights that start too large",
    find=start_too_large,
    explanation=(
        "Each layer multiplies the size of the signal by about rms(w) times the root of its number "
        "of inputs. Far above 1 the outputs are huge before the first step, bounded units are "
        "saturated, and steps of usual length hardly change weights of this size."
    ),
    healthy="rms(w) * sqrt(fan_in) between 0.5 and 1.6: torch's own start has 0.58, He's 1.4.",
    source="Glorot, Bengio 2010; He et al. 2015, arXiv 1502.01852",
    explains=CONSEQUENCES,
    remedies=("use_fitting_init", "use_batch_norm"),
    own_modules=True,
    change=CHANGE,
)
START_TOO_SMALL = Rule(
    name="start_too_small",
    title="Weights that start too small",
    find=start_too_small,
    explanation=(
        "Each layer multiplies the size of the signal by about rms(w) times the root of its number "
        "of inputs. Far below 1 nothing of the inputs is left after a few layers, and as little of "
        "the gradient on its way back."
    ),
    healthy="rms(w) * sqrt(fan_in) between 0.5 and 1.6: torch's own start has 0.58, He's 1.4.",
    source="Glorot, Bengio 2010; He et al. 2015, arXiv 1502.01852",
    explains=CONSEQUENCES,
    remedies=("use_fitting_init", "use_batch_norm"),
    own_modules=True,
    change=CHANGE,
)
