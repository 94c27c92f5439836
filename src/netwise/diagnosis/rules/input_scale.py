"""Inputs of a scale for which usual learning rates and initializations are wrong."""

from __future__ import annotations

import math

from netwise.diagnosis.rules.better_models import beaten_by_simple_models, scale_may_harm
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import why_not_observed
from netwise.diagnosis.rules.outcome import finite_median, no_baseline, outcome_known
from netwise.history import History, Series
from netwise.signals import ACTIVATION_SATURATED, ACTIVATION_STD, INPUT_MEAN, INPUT_STD

SPREAD = 10.0  # standard deviation
# Root mean square: sound programs have 0.05 and more, such as samples of sound and daily returns.
# Images in [0, 1] that are divided by 255 once more have 0.002.
SMALL = 0.01
# |mean| / standard deviation: temperatures in kelvin have about 30. What the samples differ in is
# then lost in what they have in common.
STEADY = 50.0
APART = 100.0  # largest standard deviation of a feature over the usual one
ODD = 30.0  # times the standard deviation of the usual batch
MOST_ODD = 0.5  # of the batches
EXTREME = 100.0  # root mean square
FLOODED = 0.05  # of it, in the first activations: layers of torch give about a quarter
SATURATED = 0.5  # share of the first activations at their limits
START, GROWN = 3, 10.0  # watched steps of the start; times the size of the inputs in these
OFFSET = 3.0  # |mean| / (std + 1/3): images in [0, 1] and standardised tables are below 1.5


def inputs_not_normalised(history: History) -> Answer:
    """Find inputs with a large standard deviation, or a mean far from 0 compared with it, in a run
    that has not learned, or less than a simple model of standardised inputs."""
    answer = _of_scale(history)
    known = outcome_known(history) or beaten_by_simple_models(history)
    if isinstance(answer, Finding) and not known and not _floods_first_layer(history):
        return Unchecked(no_baseline(history))
    return answer


def _floods_first_layer(history: History) -> bool:
    """Whether inputs of an extreme scale reach the first layer as they are: its first activations
    are as large, or are at their limits. Where it is not known what the run has learned, this alone
    is a fault; a normalization before the layer, or a code of places and times, leaves no sign."""
    means, spreads = history.of(INPUT_MEAN), history.of(INPUT_STD)
    if not means or not spreads or not history.layers:
        return False
    size = math.hypot(finite_median(means.values) or 0.0, finite_median(spreads.values) or 0.0)
    first = history.layers[0].name
    widths, limits = history.of(ACTIVATION_STD, first), history.of(ACTIVATION_SATURATED, first)
    if not size > EXTREME:
        return False
    flooded = widths is not None and len(widths) > 0 and widths.values[0] > FLOODED * size
    return flooded or (limits is not None and len(limits) > 0 and limits.values[0] > SATURATED)


def _of_scale(history: History) -> Answer:
    means, spreads = history.of(INPUT_MEAN), history.of(INPUT_STD)
    if means is None or spreads is None:
        default = "no inputs of real numbers were recorded: symbols have no scale"
        return Unchecked(why_not_observed(history, INPUT_MEAN) or default)
    mean = finite_median(abs(value) for value in means.values)
    spread = finite_median(spreads.values)
    if mean is None or spread is None or not scale_may_harm(history):
        return None
    offset = mean / (spread + 1 / 3)
    apart = _apart(history)
    size = math.hypot(mean, spread)
    if 0 < size < SMALL:
        return _small(size, means.steps[-1])
    if 0 < spread < mean / STEADY and offset <= OFFSET:
        return _steady(mean, spread, means)
    if spread <= SPREAD and offset <= OFFSET:
        if apart > APART:
            return _features_apart(history, apart, means.steps[-1])
        return _few_rows(history, spread, spreads)
    if size > GROWN * _size_at_start(means, spreads):
        return None  # what the network is fed with follows from what it answered
    evidence = (
        Evidence("standard deviation of the inputs", spread, SPREAD)
        if spread > SPREAD
        else Evidence("|mean| / (standard deviation + 1/3) of the inputs", offset, OFFSET)
    )
    return Finding(
        rule="inputs_not_normalised",
        sentence=(
            f"The inputs have mean {mean:,.3g} and standard deviation {spread:,.3g}; usual "
            "initializations expect 0 and 1."
        ),
        steps=(0, means.steps[-1]),
        evidence=(evidence,),
        strength=max(spread / SPREAD, offset / OFFSET),
    )


def _few_rows(history: History, spread: float, spreads: Series) -> Finding | None:
    """A few batches with rows of another size, in the middle of usual ones."""
    sizes = spreads.finite
    large = [size for size in sizes if size > ODD * spread]
    if not spread > 0 or not large or len(large) > MOST_ODD * len(sizes):
        return None
    at = spreads.steps[spreads.values.index(large[0])]
    return Finding(
        rule="inputs_not_normalised",
        sentence=(
            f"In {len(large)} of {len(sizes)} watched batches, first in step {at}, the standard "
            f"deviation of the inputs is up to {max(large):,.3g}; in most it is {spread:.3g}. A "
            "few rows are of another size, such as faults of a sensor, marks of missing values, or "
            "other units: look at the largest numbers, and leave these rows out or limit them."
        ),
        steps=(at, spreads.steps[-1]),
        evidence=(
            Evidence("largest standard deviation of a batch / usual one", max(large) / spread, ODD),
        ),
        strength=max(large) / spread / ODD,
        change=(
            "low, high = x_train.quantile(0.001, 0), x_train.quantile(0.999, 0)\n"
            "x = x.clamp(low, high)  # for training, evaluation and use"
        ),
    )


def _size_at_start(means: Series, spreads: Series) -> float:
    """Root mean square of the inputs in the first watched steps. That of data is the same later;
    states of an environment and numbers that are fed back grow with the weights."""
    mean, spread = (finite_median(each.values[:START]) for each in (means, spreads))
    return math.hypot(mean or 0.0, spread or 0.0)


def _small(size: float, last: int) -> Finding:
    return Finding(
        rule="inputs_not_normalised",
        sentence=(
            f"The inputs are very small: their root mean square is {size:.2g}. The gradient of the "
            "first layer is as small; usual initializations expect 1. Look for a division that is "
            "done twice."
        ),
        steps=(0, last),
        evidence=(Evidence("root mean square of the inputs", size, SMALL, above=False),),
        strength=SMALL / size,
        grade="cause",
    )


def _steady(mean: float, spread: float, means: Series) -> Finding:
    return Finding(
        rule="inputs_not_normalised",
        sentence=(
            f"The inputs are all but constant: they vary by {spread:.2g} around "
            f"{finite_median(means.values) or 0.0:.3g}. Subtract the mean of these very inputs, "
            "and divide by their standard deviation; look for a scaling that is done twice."
        ),
        steps=(0, means.steps[-1]),
        evidence=(Evidence("|mean| / standard deviation of the inputs", mean / spread, STEADY),),
        strength=mean / spread / STEADY,
        grade="cause",
    )


def _apart(history: History) -> float:
    """The largest standard deviation of a feature over the usual one; 1 where it is not known."""
    data = history.data
    if data is None or not data.typical_std or not data.largest_std:
        return 1.0
    apart = data.largest_std / data.typical_std
    return apart if math.isfinite(apart) else 1.0


def _features_apart(history: History, apart: float, last: int) -> Finding:
    data = history.data
    assert data is not None
    return Finding(
        rule="inputs_not_normalised",
        sentence=(
            f"One feature of the inputs has the standard deviation {data.largest_std:,.3g}, the "
            f"usual one is {data.typical_std:,.3g}: the first layer hardly sees the others."
        ),
        steps=(0, last),
        evidence=(Evidence("largest standard deviation of a feature / usual one", apart, APART),),
        strength=apart / APART,
    )


INPUTS_NOT_NORMALISED = Rule(
    name="inputs_not_normalised",
    title="Unnormalised inputs",
    find=inputs_not_normalised,
    explanation=(
        "The gradient of a weight is proportional to its input. Large inputs give large first "
        "activations, saturated or dead units, and steps that are too long at usual learning rates."
    ),
    healthy="Inputs with mean 0 and standard deviation 1, or images with values from 0 to 1.",
    source="LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.3",
    explains=(
        "constant_output",
        "dead_at_start",
        "not_finite",
        "dead_relu",
        "saturation",
        "exploding_gradient",
        "vanishing_gradient",
        "start_too_small",
        "rate_too_high",
        "rate_too_low",
        "not_learning",
        "underfitting",
        "overfitting",
    ),
    remedies=("standardise_inputs",),
    change=(
        "mean, std = x_train.mean(0), x_train.std(0).clamp_min(1e-6)\n"
        "x_train, x_valid = (x_train - mean) / std, (x_valid - mean) / std"
    ),
)
