"""Underfitting (欠拟合): a training loss that stands far from 0, since the network cannot hold more."""

from __future__ import annotations

from math import ceil, log2

from netwise.diagnosis.curves import expected_gain, last_slope, level_at_end
from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    CERTAIN,
    FEWEST,
    LEARNED,
    falls_short,
    final_loss,
    final_loss_share,
    has_learned,
    mean,
    no_baseline,
    opponents,
    simple_score,
    simple_skill,
    valid_score,
)
from netwise.history import DIVERGED, History, Layer, Series
from netwise.signals import LOSS, TRAIN_LOSS, VALID_LOSS

# Shares of the loss of guessing.
NOTHING = 0.9  # left in the training loss where nothing was learned
LITTLE = 0.6  # left in the training loss where little was learned

FLAT = 0.05  # fall of the training loss over the last third of the epochs, as a share of it
SIMILAR = 1.3  # validation loss over training loss: above it the network overfits

# A layer of so few units that all the others depend on.
FEW_UNITS = 4
STANDS = 0.2  # of the first loss, above which a loss that stands has not fallen far
SLOW = 0.12  # of what is left: gain in half as many steps again, below which more time is no cure


def underfitting(history: History) -> Answer:
    """Find a training loss that stops falling far from 0, with a validation loss near it, where a
    layer is too narrow to pass on more, or where simple models of the same data are better."""
    if opponents(history) or history.ended.how == DIVERGED:
        return Unchecked(no_baseline(history)) if opponents(history) else None
    narrow = _too_narrow(history)
    if narrow is not None:
        return narrow
    left = final_loss_share(history)
    if left is None:
        return Unchecked(no_baseline(history))
    if left >= NOTHING or left <= LITTLE or has_learned(history):
        return None  # nothing at all was learned, which is `not_learning`; or enough
    train, valid = history.of(TRAIN_LOSS), history.of(VALID_LOSS)
    if train is None or len(train) < 2 * FEWEST:
        epochs = 0 if train is None else len(train)
        return Unchecked(
            f"training losses of {2 * FEWEST} epochs are needed to see that they stop falling, and "
            f"{epochs} recorded: train for longer, or call w.epoch(train_loss=...)"
        )
    third = max(2, len(train) // 3)
    before, after = mean(train.values[-2 * third : -third]), mean(train.values[-third:])
    fall = (before - after) / before if before > 0 else 0.0
    if fall > FLAT:
        return None  # it still falls
    if valid is not None and valid.last > SIMILAR * train.last:
        return None
    if history.wiring is not None and not falls_short(history):
        # What is left may be noise: only a comparison with other models shows it.
        if simple_skill(history) is not None:
            return None
        return Unchecked(
            "it is not known whether more can be learned: compare with a linear model, the nearest "
            "neighbour, or a wider network"
        )
    return _stands(history, train, left, fall)


def _stands(history: History, train: Series, left: float, fall: float) -> Finding:
    third = max(2, len(train) // 3)
    valid, simple, score = history.of(VALID_LOSS), simple_score(history), valid_score(history)
    more = f"; the validation loss is {valid.last:.3g}" if valid is not None else ""
    if simple is not None and score is not None:
        more += f". A simple model of the same rows scores {simple:.2g}, the network {score:.2g}"
    return Finding(
        rule="underfitting",
        sentence=(
            f"The training loss has stopped falling at {train.last:.3g} ({100 * left:.0f} % of the "
            f"loss of guessing){more}."
        ),
        steps=(train.steps[-third], train.steps[-1]),
        evidence=(
            Evidence("training loss / loss of guessing", left, LITTLE, percent=True),
            Evidence("fall over the last third of the epochs", fall, FLAT, False, percent=True),
        ),
        strength=left / LITTLE,
    )


def _too_narrow(history: History) -> Finding | None:
    """A layer of a few units whose outputs are all that the next layer gets, in a run that stands
    still."""
    found = narrowest(history)
    if found is None or not _stands_high(history, found):
        return None
    layer, needed = found
    loss = final_loss(history)
    losses = history.of(LOSS)
    last = history.ended.step if losses is None or not len(losses) else losses.steps[-1]
    units = "unit" if layer.fan_out == 1 else "units"
    return Finding(
        rule="underfitting",
        sentence=(
            f"{layer.name} has {layer.fan_out} {units} for {layer.fan_in} inputs, and all later "
            f"layers depend on it; the training loss stands at {loss:.3g}."
        ),
        layers=(layer.name,),
        steps=(0, max(last, 0)),
        evidence=(
            Evidence("units of the layer", layer.fan_out, needed, False),
        ),
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
        and after.fan_in % layer.fan_out == 0
        and (after.fan_in == layer.fan_out or after.kind.startswith("Conv") or layer.fan_out == 1)
        and not layer.kind.startswith("Embedding")
    ]
    if not narrow:
        return None
    return min(narrow, key=lambda layer: layer.fan_out), needed


def _stands_high(history: History, found: tuple[Layer, int]) -> bool:
    """Whether the run has clearly not learned, and would not in half as many steps again."""
    losses = history.of(LOSS) or history.of(TRAIN_LOSS)
    if losses is None or len(losses.finite) < 4 * FEWEST:
        return False
    left = final_loss_share(history)
    if left is None:
        end, start = level_at_end(losses), mean(losses.finite[:FEWEST])
        if end is None or end <= STANDS * start or simple_skill(history) is not None:
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


UNDERFITTING = Rule(
    name="underfitting",
    title="Underfitting",
    find=underfitting,
    explanation=(
        "The training loss stays far from its minimum, and the validation loss with it: the "
        "network is too small or too much regularised for this task, unless its initialization or "
        "learning rate is wrong."
    ),
    healthy=(
        "A training loss that still falls, or is near that of perfect predictions; or one that no "
        "simple model of the same rows is below: what is left is noise."
    ),
    source="Goodfellow, Bengio, Courville 2016, section 5.2",
    explains=("not_learning", "plateau", "dead_relu", "vanishing_gradient", "gradient_zero"),
    tasks=WITH_TARGETS,  # not autoencoders: a narrow code cannot hold all of the input
    remedies=("lighten_brakes", "widen"),
    change="nn.Linear(inputs, 64)  # more units in the layer that is named, and in those after it",
)
