"""Underfitting (欠拟合): a training loss that stands still far from that of perfect predictions."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    falls_short,
    final_loss_share,
    has_learned,
    mean,
    no_baseline,
    opponents,
    simple_score,
    simple_skill,
    valid_score,
)
from netwise.history import DIVERGED, History, Series
from netwise.signals import TRAIN_LOSS, VALID_LOSS

# Shares of the loss of guessing.
NOTHING = 0.9  # left in the training loss where nothing was learned
LITTLE = 0.6  # left in the training loss where little was learned

FLAT = 0.05  # fall of the training loss over the last third of the epochs, as a share of it
SIMILAR = 1.3  # validation loss over training loss: above it the network overfits


def underfitting(history: History) -> Answer:
    """Find a training loss that stops falling far from 0, with a validation loss near it, where
    simple models of the same data are better."""
    if opponents(history) or history.ended.how == DIVERGED:
        return Unchecked(no_baseline(history)) if opponents(history) else None
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
    if history.wiring is not None and not history.made_by.recipe and not falls_short(history):
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


UNDERFITTING = Rule(
    name="underfitting",
    title="Underfitting",
    find=underfitting,
    at_end=True,
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
    explains=("not_learning", "plateau"),
    tasks=WITH_TARGETS,  # not autoencoders: a narrow code cannot hold all of the input
    remedies=("lighten_brakes", "widen", "deepen", "more_epochs"),
    change="nn.Linear(inputs, 64)  # more units in the hidden layers",
)
