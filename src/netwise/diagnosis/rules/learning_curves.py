"""What learning curves show at the end of a run: not learning, overfitting (过拟合), underfitting
(欠拟合)."""

from __future__ import annotations

from math import isfinite

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    final_loss,
    final_loss_share,
    loss_share,
    mean,
    no_baseline,
    opponents,
)
from netwise.history import DIVERGED, History
from netwise.signals import LOSS, TRAIN_ACCURACY, TRAIN_LOSS, VALID_ACCURACY, VALID_LOSS

# Shares of the loss of guessing, which is 1 for the best constant prediction.
NOTHING = 0.9  # left in the training loss where nothing was learned
LITTLE = 0.6  # left in the training loss where little was learned
MATTERS = 0.05  # of the validation loss: below it a rise does no harm

# Overfitting.
RISE = 1.2  # validation loss at the end over its lowest
EARLY_BEST = 0.7  # the lowest validation loss is in this first part of the run
MEMORISED = 0.3  # training loss over validation loss

# Underfitting.
FLAT = 0.05  # fall of the training loss over the last third of the epochs, as a share of it
SIMILAR = 1.3  # validation loss over training loss: above it the network overfits


def not_learning(history: History) -> Answer:
    """Find a run that ends no better than the best constant prediction."""
    if history.ended.how == DIVERGED:
        step = history.ended.step
        return Finding(
            rule="not_learning",
            sentence=history.ended.sentence,
            steps=(step, step),
            evidence=(
                Evidence("steps before it diverged", float(step), float("inf"), above=False),
            ),
        )
    left = final_loss_share(history)
    if left is None:
        return Unchecked(no_baseline(history))
    if left < NOTHING:
        return None
    last, guess = final_loss(history), history.facts.loss_of_guessing
    compared = "" if guess is None else f"; that of the best constant prediction is {guess:.3g}"
    step = (history.of(TRAIN_LOSS) or history.of(LOSS)).steps[-1]  # type: ignore[union-attr]
    return Finding(
        rule="not_learning",
        sentence=f"The training loss ends at {last:.3g}{compared}.",
        steps=(step, step),
        evidence=(Evidence("training loss / loss of guessing", left, NOTHING, percent=True),),
        strength=min(left, 1e6) / NOTHING,
    )


def overfitting(history: History) -> Answer:
    """Find a validation loss that has risen since an early minimum, while the training loss fell
    far below it."""
    if opponents(history):
        return Unchecked(no_baseline(history))
    train, valid = history.of(TRAIN_LOSS), history.of(VALID_LOSS)
    if train is None or valid is None:
        return Unchecked(
            "training and validation loss of each epoch are needed: call "
            "w.epoch(train_loss=..., valid_loss=...)"
        )
    if len(valid) < FEWEST:
        return Unchecked(
            f"{FEWEST} epochs are needed to see a rise, and {len(valid)} recorded: train for longer"
        )
    if not isfinite(valid.last) or not isfinite(train.last):
        return None
    left = loss_share(history, valid.last)
    if left is not None and left < MATTERS:
        return None
    lowest = min(valid.finite)
    best = valid.values.index(lowest)
    rise = valid.last / lowest if lowest > 0 else 1.0
    ratio = train.last / valid.last if valid.last > 0 else 1.0
    if (best + 1) > EARLY_BEST * len(valid) or rise <= RISE or ratio >= MEMORISED:
        return None
    return Finding(
        rule="overfitting",
        sentence=(
            f"The validation loss was lowest in epoch {best + 1} of {len(valid)} and has risen "
            f"{rise:.2f} times since, while the training loss fell to {train.last:.2g}"
            f"{_accuracies(history)}."
        ),
        steps=(valid.steps[best], valid.steps[-1]),
        evidence=(
            Evidence("validation loss / its lowest", rise, RISE),
            Evidence("training loss / validation loss", ratio, MEMORISED, False, percent=True),
        ),
        strength=rise / RISE,
    )


def _accuracies(history: History) -> str:
    train, valid = history.of(TRAIN_ACCURACY), history.of(VALID_ACCURACY)
    if train is None or valid is None:
        return ""
    return (
        f" (accuracy {100 * train.last:.0f} % in training, {100 * valid.last:.0f} % in validation)"
    )


def underfitting(history: History) -> Answer:
    """Find a training loss that stops falling far from 0, with a validation loss near it: the
    network is too small or too much regularised."""
    left = final_loss_share(history)
    if left is None:
        return Unchecked(no_baseline(history))
    if left >= NOTHING or left <= LITTLE:
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
    validation = f"; the validation loss is {valid.last:.3g}" if valid is not None else ""
    return Finding(
        rule="underfitting",
        sentence=(
            f"The training loss has stopped falling at {train.last:.3g} ({100 * left:.0f} % of the "
            f"loss of guessing){validation}."
        ),
        steps=(train.steps[-third], train.steps[-1]),
        evidence=(
            Evidence("training loss / loss of guessing", left, LITTLE, percent=True),
            Evidence("fall over the last third of the epochs", fall, FLAT, False, percent=True),
        ),
        strength=left / LITTLE,
    )


NOT_LEARNING = Rule(
    name="not_learning",
    title="Failure to learn",
    find=not_learning,
    symptom=True,
    explanation=(
        "The predictions are no better than a constant that ignores the input. This is a symptom: "
        "if it is a consequence of another finding, treat that one. If it is the only finding, "
        "short trials say more."
    ),
    healthy="A training loss that is below that of guessing within the first epochs.",
    source="Goodfellow, Bengio, Courville 2016, section 11.5",
    remedies=(
        "use_relu",
        "use_fitting_init",
        "use_batch_norm",
        "use_residual",
        "search_rate",
        "use_adam",
        "lighten_brakes",
        "widen",
    ),
)
OVERFITTING = Rule(
    name="overfitting",
    title="Overfitting",
    find=overfitting,
    explanation=(
        "The network memorises its training samples instead of what they have in common: each "
        "further step makes its predictions for other samples worse."
    ),
    healthy="A lowest validation loss near the end, or a training loss not far below it.",
    source="Prechelt 1998, Early stopping - but when?",
    remedies=("stop_early", "add_dropout", "add_weight_decay", "more_data", "shrink"),
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
    healthy="A training loss that still falls, or is near that of perfect predictions.",
    source="Goodfellow, Bengio, Courville 2016, section 5.2",
    tasks=WITH_TARGETS,  # not autoencoders: a narrow code cannot hold all of the input
    remedies=("lighten_brakes", "widen"),
)
