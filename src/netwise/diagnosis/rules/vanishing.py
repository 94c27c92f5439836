"""Vanishing gradient (梯度消失): the nearer a layer is to the input, the slower it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import median

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    NO_GRADIENTS,
    has_learned,
    if_outcome_known,
    series_by_layer,
    span,
    too_few_steps,
)
from netwise.history import History, Series
from netwise.signals import GRADIENT_RMS

# Set on 120 runs (digits, 6 epochs of SGD(lr=0.1, momentum=0.9), 2 to 4 hidden layers of 30):
# accuracy above 0.55 had ratios below 16, accuracy under 0.35 above 38. The gallery confirms it on
# other runs.
LIMIT = 25.0
EARLY = 4  # one layer of so many is near the inputs
RECURRENT = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")
OF_ATTENTION = ("queries", "keys", "values")
TINY = 1e-38  # smallest divisor, so that a gradient of exactly 0 is found too


@if_outcome_known
def vanishing_gradient(history: History) -> Answer:
    """Find a first layer whose gradient is far below the last layer's, in a run that has not
    learned.

    ratio = median over watched steps of rms(g_last) / rms(g_first), with `LIMIT` as limit, for
    all layers of the first quarter.
    """
    series = series_by_layer(history, GRADIENT_RMS)
    if not series:
        return Unchecked(NO_GRADIENTS)
    if len(series) < 2 or has_learned(history):
        return None  # the gradient of a single layer cannot vanish on its way back
    # Most rows of an embedding are not in a batch, and get a gradient of 0.
    # Attention stands in a branch beside an identity: the layers before it have their gradient from
    # that, and its own is small wherever tokens attend to others like themselves.
    beside = ("Embedding", "Attention")
    looked_up = {
        layer.name for layer in history.layers if any(part in layer.kind for part in beside)
    }
    names = [name for name in series if name not in looked_up]
    if len(names) < 2:
        return None
    first, last = series[names[0]], series[names[-1]]
    ratios = ratios_to_last(first.values, last.values)
    if len(ratios) < FEWEST:
        return Unchecked(too_few_steps(len(ratios)))
    ratio = median(ratios)
    if ratio <= LIMIT or not _all_early(names, series, last):
        return None
    if _are_normalised(history, names) or _are_queries_and_keys(history, names, series, last):
        return None
    kinds = {layer.name: layer.kind for layer in history.layers}
    if kinds[names[0]] in RECURRENT and not _from_the_start(first, last):
        return None
    small = tuple(
        name
        for name in names[:-1]
        if median(ratios_to_last(series[name].values, last.values) or [0.0]) > LIMIT
    )
    per_layer = ratio ** (1 / (len(names) - 1))
    return Finding(
        rule="vanishing_gradient",
        sentence=(
            f"The gradient of {names[0]} is {ratio:,.0f} times smaller than that of {names[-1]}: "
            f"{per_layer:.1f} times smaller with each layer."
        ),
        layers=small or (names[0],),
        steps=span(first_step(first, last), first.steps[-1]),
        evidence=(Evidence("rms(g_last) / rms(g_first)", ratio, LIMIT),),
        strength=ratio / LIMIT,
    )


def _all_early(names: Sequence[str], series: Mapping[str, Series], last: Series) -> bool:
    """Whether the first quarter of the layers all have a small gradient. Where one of them has not,
    the gradient gets there, and those with a small one are beside its way, as the keys and queries
    of attention are, behind a softmax."""
    early = names[: max(1, len(names) // EARLY)]
    return all(
        median(ratios_to_last(series[name].values, last.values) or [0.0]) > LIMIT for name in early
    )


def _are_queries_and_keys(
    history: History, names: Sequence[str], series: Mapping[str, Series], last: Series
) -> bool:
    """Whether the first two layers are queries and keys of attention that is written out: they have
    inputs and units as many as the third, whose gradient is not small, and no next layer gets their
    outputs through a known activation. They act through a softmax alone, which is flat at the
    start, and what is before them has its gradient through the third."""
    first = names[: len(OF_ATTENTION)]
    if len(names) <= len(OF_ATTENTION):
        return False
    layers = [layer for layer in history.layers if layer.name in first]
    alike = len({(layer.fan_in, layer.fan_out) for layer in layers}) == 1
    known = any(layer.activation for layer in layers[:-1])
    of_values = median(ratios_to_last(series[first[-1]].values, last.values) or [0.0])
    return alike and not known and of_values <= LIMIT


def _are_normalised(history: History, names: Sequence[str]) -> bool:
    """Whether a normalisation stands behind one of the first quarter of the layers. Outputs do not
    change with the size of such weights, so the size of their gradient says nothing, and the
    gradient of the last layer has a part common to all samples that no normalisation lets through.
    """
    behind = {layer.name for layer in history.layers if layer.normalised}
    return any(name in behind for name in names[: max(1, len(names) // EARLY)])


def _from_the_start(near: Series, far: Series) -> bool:
    """Whether the ratio was above `LIMIT` before the weights had moved much. Over many time steps
    that is the fault itself; units that steps which were too long have driven to their limits show
    it later."""
    early = ratios_to_last(near.values, far.values)[:3]
    return bool(early) and median(early) > LIMIT


def first_step(near: Series, far: Series) -> int:
    """The first watched step with a ratio above `LIMIT`; the very first one where its own ratio and
    the median of the first three are above it. What long steps bring about begins later."""
    pairs = zip(near.steps, near.values, far.values, strict=False)
    ratios = [
        (step, b / max(a, TINY)) for step, a, b in pairs if isfinite(a) and isfinite(b) and b > 0
    ]
    if ratios[0][1] > LIMIT and median(ratio for _, ratio in ratios[:3]) > LIMIT:
        return near.steps[0]
    return next((max(1, step) for step, ratio in ratios if ratio > LIMIT), near.steps[-1])


def ratios_to_last(near: Sequence[float], far: Sequence[float]) -> list[float]:
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
        "On the way back each layer multiplies the gradient by its weights and by the slope of its "
        "activation. Where the product is below 1 (a sigmoid's slope is at most 1/4) the gradient "
        "shrinks from layer to layer: the first layers stay at their random initial weights, and "
        "the later ones learn from what those make of the inputs."
    ),
    healthy=(
        "A last layer's gradient below 25 times the first layer's; networks that learn digits had "
        "1 to 16 times."
    ),
    source="Hochreiter 1991; Glorot, Bengio 2010",
    explains=("not_learning", "underfitting", "rate_too_low", "activation_flattens"),
    remedies=(
        "use_relu",
        "use_fitting_init",
        "use_batch_norm",
        "use_residual",
        "search_rate",
        "use_adam",
    ),
    change=(
        "nn.ReLU()  # instead of nn.Sigmoid() or nn.Tanh() in hidden layers\n"
        "nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
        "# many layers: nn.BatchNorm1d(width) before each activation, or x = x + block(x)"
    ),
)
