"""A hidden layer that is too narrow for the task, which no later layer can make good."""

from __future__ import annotations

from math import ceil, log2

from netwise.diagnosis.curves import expected_gain, last_slope, level_at_end
from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    CERTAIN,
    FEWEST,
    LEARNED,
    NO_LAYERS,
    falls_short,
    final_loss,
    final_loss_share,
    has_learned,
    mean,
    no_baseline,
    opponents,
    simple_skill,
)
from netwise.history import DIVERGED, History, Layer
from netwise.signals import LOSS, TRAIN_LOSS

# Units of a layer that all the others depend on. A code of k numbers tells 2^k classes apart, if
# each of them only says yes or no; layers of more than four units are not called narrow.
FEW_UNITS = 4
NOTHING = 0.9  # of the loss of guessing left: nothing was learned, not even through a narrow code
STANDS = 0.2  # of the first loss, above which a loss that stands has not fallen far
SLOW = 0.12  # of what is left: gain in half as many steps again, below which more time is no cure


def layer_too_narrow(history: History) -> Answer:
    """Find a hidden layer of a few units whose outputs are all that the next layer gets, in a run
    that stands still."""
    if not history.layers:
        return Unchecked(NO_LAYERS)
    if opponents(history) or history.ended.how == DIVERGED:
        return Unchecked(no_baseline(history)) if opponents(history) else None
    found = narrowest(history)
    if found is None or not _stands_high(history, found):
        return None
    layer, needed = found
    loss = final_loss(history)
    losses = history.of(LOSS)
    last = history.ended.step if losses is None or not len(losses) else losses.steps[-1]
    units = "unit" if layer.fan_out == 1 else "units"
    return Finding(
        rule="layer_too_narrow",
        sentence=(
            f"{layer.name} has {layer.fan_out} {units} for {layer.fan_in} inputs, and all later "
            f"layers depend on it; the training loss stands at {loss:.3g}."
        ),
        layers=(layer.name,),
        steps=(0, max(last, 0)),
        evidence=(Evidence("units of the layer", layer.fan_out, needed, False),),
        strength=max(1.0, needed / layer.fan_out),
        grade="cause",
    )


def narrowest(history: History) -> tuple[Layer, int] | None:
    """The narrowest hidden layer whose outputs are the inputs of the next one, and the number of
    units from which on it is wide enough; None without one."""
    classes = history.facts.classes or 2
    needed = min(FEW_UNITS, max(2, ceil(log2(max(classes, 2))))) + 1
    narrow = [
        layer
        for layer, after in zip(history.layers, history.layers[1:], strict=False)
        if 0 < layer.fan_out < needed
        and layer.fan_out < layer.fan_in
        and _feeds(layer, after)
        and not layer.kind.startswith("Embedding")
    ]
    if not narrow:
        return None
    return min(narrow, key=lambda layer: layer.fan_out), needed


def _feeds(layer: Layer, after: Layer) -> bool:
    """Whether the inputs of a layer are as many as the units of the one before, or as the values in
    a window of a convolution over them."""
    if after.kind.startswith("Conv") and layer.kind.startswith("Conv"):
        return after.fan_in % layer.fan_out == 0
    return after.fan_in == layer.fan_out


def _stands_high(history: History, found: tuple[Layer, int]) -> bool:
    """Whether the run has clearly not learned, and would not in half as many steps again."""
    losses = history.of(LOSS) or history.of(TRAIN_LOSS)
    if losses is None or len(losses.finite) < 4 * FEWEST:
        return False
    left = final_loss_share(history)
    if left is None:
        end, start = level_at_end(losses), mean(losses.finite[:FEWEST])
        if end is None or end <= STANDS * start:
            return False
        if simple_skill(history) is not None and not falls_short(history):
            return False
    elif left < LEARNED or has_learned(history):
        return False
    if _codes(history) and (left is None or left < NOTHING):
        return False  # a narrow code is meant to be narrow
    slope, gain, level = last_slope(losses), expected_gain(losses), level_at_end(losses)
    if slope is None or gain is None or level is None or level <= 0:
        return False
    return slope.falls < CERTAIN or gain / level < SLOW


def _codes(history: History) -> bool:
    """Whether the network has as many outputs as inputs, like one that codes them."""
    first, last = history.layers[0], history.layers[-1]
    return first.fan_in == last.fan_out


LAYER_TOO_NARROW = Rule(
    name="layer_too_narrow",
    title="A layer too narrow for the task",
    find=layer_too_narrow,
    at_end=True,
    explanation=(
        "All that later layers know of an input is the output of this layer. Layers behind it "
        "cannot bring back what it has lost."
    ),
    healthy="Hidden layers of at least as many units as there are classes; usually 16 or more.",
    source="Goodfellow, Bengio, Courville 2016, section 5.2",
    explains=(
        "bottleneck",
        "underfitting",
        "not_learning",
        "plateau",
        "one_answer",
        "outputs_collapse",
        "dead_relu",
        "vanishing_gradient",
        "gradient_zero",
        "rate_too_low",
        "too_short",
        "loss_still_falls",
    ),
    tasks=WITH_TARGETS,  # not autoencoders: a narrow code cannot hold all of the input
    remedies=("widen",),
    change="nn.Linear(inputs, 64)  # more units in the layer that is named, and in those after it",
    own_loops=True,
)
