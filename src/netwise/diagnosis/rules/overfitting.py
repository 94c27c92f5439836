"""Overfitting (过拟合): training rows are learned by heart; and runs that were better before."""

from __future__ import annotations

from math import isfinite

from netwise.diagnosis.curves import Rise, finite_series, level_at_end, rise_since_lowest, smoothed
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    final_loss_share,
    loss_share,
    no_baseline,
    opponents,
    r2_of_loss,
    skill,
    train_accuracy,
)
from netwise.history import History, Series
from netwise.signals import LOSS, TRAIN_LOSS, VALID_ACCURACY, VALID_LOSS, VALID_R2
from netwise.tasks import SQUARED

# By a validation loss that rises.
RISE = 1.2  # validation loss at the end over its lowest, both smoothed
EARLY_BEST = 0.7  # the lowest validation loss is in this first part of the run
MEMORISED = 0.3  # training loss over validation loss
DEVIATIONS = 3.0  # of the noise of the validation loss: a rise below is no rise
MATTERS = 0.05  # of the loss of guessing: below it a validation loss does no harm
LOST = 0.1  # of the loss of guessing, by which the validation loss has risen where it matters
STANDS = 0.02  # fall of a score that is no fall

# By what is known of training rows and not of others. Healthy programs of the clinic that learn
# their training rows by heart have gaps up to 0.13 in accuracy, programs with a few rows only from
# 0.15 on; in R² up to 0.1 against 0.45 and more.
LEARNED_BY_HEART = 0.04  # of the loss of guessing left in training
ACCURACY_GAP = 0.15  # between 1 and the best validation accuracy
FITTED = 0.25  # of the variance left in training
VARIANCE_GAP = 0.35  # of the variance, explained in training and not in validation

# By two losses far apart. Healthy programs of the clinic that have as little left in training have
# gaps of 0.06 in accuracy and 0.1 of the loss of guessing in validation at most.
NOTHING_LEFT = 0.01  # of the loss of guessing left in training
SURE_OF_ERRORS = 0.15  # of the loss of guessing, left in validation
LESSER_GAP = 0.08  # between 1 and the best validation accuracy


def overfitting(history: History) -> Answer:
    """Find a training loss far below the validation loss where that costs something: the score on
    validation data is far below that on training data, or the validation loss rises."""
    if opponents(history):
        return Unchecked(no_baseline(history))
    valid = history.of(VALID_LOSS)
    if train_level(history) is None or valid is None or not valid.finite:
        return Unchecked(
            "training and validation loss of each epoch are needed: call "
            "w.epoch(train_loss=..., valid_loss=...)"
        )
    finding = _by_score(history) or _by_rise(history) or _by_losses(history)
    if finding is None and len(valid) < FEWEST:
        return Unchecked(
            f"{FEWEST} epochs are needed to see a rise, and {len(valid)} recorded: train for longer"
        )
    return finding


def train_level(history: History) -> float | None:
    """The training loss at the end: the lower one of the epochs' loss and of the batches' loss."""
    series = (history.of(TRAIN_LOSS), history.of(LOSS))
    levels = [level_at_end(each) for each in series if each is not None]
    return min((v for v in levels if v is not None and isfinite(v)), default=None)


def _by_score(history: History) -> Finding | None:
    left, best = left_in_training(history), best_score(history)
    if left is None or best is None or not -1 <= best <= 1:
        return None  # a score of another kind
    numbers = history.facts.loss_kind == SQUARED and not history.facts.class_targets
    if numbers:
        learned, gap, limit = 1 - left, 1 - left - best, VARIANCE_GAP
        by_heart = left < FITTED
    else:
        learned, gap, limit = 1.0, 1 - best, ACCURACY_GAP
        by_heart = left < LEARNED_BY_HEART
    if not by_heart or gap <= limit or not _costs(history, best):
        return None
    what = "R²" if numbers else "accuracy"
    reached = (
        f"{100 * learned:.0f} % of the variance of the training rows is explained"
        if numbers
        else f"{100 * left:.2g} % of the loss of guessing is left in training"
    )
    valid = history.of(VALID_LOSS)
    assert valid is not None
    return Finding(
        rule="overfitting",
        sentence=f"{reached}, and the best validation {what} is {100 * best:.0f} %.",
        steps=(valid.steps[0], valid.steps[-1]),
        evidence=(Evidence(f"training {what} - best validation {what}", gap, limit, percent=True),),
        strength=gap / limit,
    )


def _by_losses(history: History) -> Finding | None:
    """Nothing is left to learn in training, and the validation loss is many times as high: of
    classes, with a gap of the scores that alone would be none."""
    left, best, valid = left_in_training(history), best_score(history), history.of(VALID_LOSS)
    train = train_level(history)
    end = None if valid is None else level_at_end(valid)
    if left is None or best is None or valid is None or end is None or train is None:
        return None
    share, of_classes = loss_share(history, end), history.facts.class_targets
    if not of_classes or share is None or not isfinite(share) or not 0 <= left < NOTHING_LEFT:
        return None
    if share <= SURE_OF_ERRORS or not LESSER_GAP < 1 - best <= 1 or not _costs(history, best):
        return None
    return Finding(
        rule="overfitting",
        sentence=(
            f"The training loss has fallen to {train:.2g}, and the validation loss is {end:.2g}"
            f"{_accuracies(history)}."
        ),
        steps=(valid.steps[0], valid.steps[-1]),
        evidence=(
            Evidence("validation loss / loss of guessing", share, SURE_OF_ERRORS, percent=True),
            Evidence("training loss / loss of guessing", left, NOTHING_LEFT, False, percent=True),
            Evidence("1 - best validation accuracy", 1 - best, LESSER_GAP, percent=True),
        ),
        strength=share / SURE_OF_ERRORS,
    )


def left_in_training(history: History) -> float | None:
    """The share of the loss of guessing, else of the errors, that is left on training rows."""
    left = final_loss_share(history)
    accuracy = train_accuracy(history)
    if left is not None or accuracy is None:
        return left
    level = level_at_end(accuracy)
    return None if level is None or not 0 <= level <= 1 else 1 - level


def best_score(history: History) -> float | None:
    """The best smoothed validation score of the run: accuracy or R²."""
    for name in (VALID_ACCURACY, VALID_R2):
        series = history.of(name)
        if series is not None and series.finite:
            return max(smoothed(series).values)
    if r2_of_loss(history) is None:
        return None
    losses = history.of(VALID_LOSS)
    assert losses is not None  # the score follows from it
    share = loss_share(history, min(smoothed(losses).values))
    return None if share is None else 1 - share


def _costs(history: History, best: float) -> bool:
    """Whether more could be known of validation rows: not where a model that was fitted to them is
    no better."""
    data = history.data
    ceiling = None if data is None else data.inside_evaluation_score
    reached, possible = skill(history, best), skill(history, ceiling)
    return reached is None or possible is None or possible > reached


def _by_rise(history: History) -> Finding | None:
    valid, train = history.of(VALID_LOSS), train_level(history)
    rise = None if valid is None else rise_since_lowest(valid)
    if valid is None or rise is None or train is None or not isfinite(valid.last):
        return None
    ratio = train / rise.end if rise.end > 0 else 1.0
    if (
        rise.place > EARLY_BEST
        or rise.ratio <= RISE
        or rise.deviations < DEVIATIONS
        or ratio >= MEMORISED
        or not _matters(history, rise)
    ):
        return None
    epoch = finite_series(valid).steps.index(rise.step) + 1
    return Finding(
        rule="overfitting",
        sentence=(
            f"The validation loss was lowest in epoch {epoch} of {len(valid)} and has risen "
            f"{rise.ratio:.2f} times since, while the training loss fell to {train:.2g}"
            f"{_accuracies(history)}."
        ),
        steps=(rise.step, valid.steps[-1]),
        evidence=(
            Evidence("validation loss / its lowest", rise.ratio, RISE),
            Evidence("training loss / validation loss", ratio, MEMORISED, False, percent=True),
        ),
        strength=rise.ratio / RISE,
    )


def _matters(history: History, rise: Rise) -> bool:
    """Whether a rise of the validation loss costs something. Where the score stands, the network is
    only more certain of its errors."""
    end, lowest = loss_share(history, rise.end), loss_share(history, rise.lowest)
    if end is not None and end < MATTERS:
        return False
    lost = score_lost(history)
    if lost is not None:
        return lost > STANDS
    return end is None or lowest is None or end - lowest > LOST


def score_lost(history: History) -> float | None:
    """How far the validation score has fallen from its best to the end, both smoothed; None where
    it is not known."""
    for name in (VALID_ACCURACY, VALID_R2):
        series = history.of(name)
        if series is not None and len(series.finite) >= FEWEST:
            end = level_at_end(series)
            return None if end is None else max(smoothed(series).values) - end
    return None


def _accuracies(history: History) -> str:
    train, valid = train_accuracy(history), history.of(VALID_ACCURACY)
    if train is None or valid is None:
        return ""
    return (
        f" (accuracy {100 * train.last:.0f} % in training, {100 * valid.last:.0f} % in validation)"
    )


# An earlier state that was better: what is lost of the skill, of which 1 is a perfect score.
WORSE = 0.1


def best_was_earlier(history: History) -> Answer:
    """Find a run whose validation score was clearly better before."""
    series: Series | None = history.of(VALID_ACCURACY) or history.of(VALID_R2)
    if series is None or len(series.finite) < FEWEST:
        return Unchecked(
            f"validation scores of {FEWEST} epochs are needed: call w.epoch(valid_accuracy=...)"
        )
    upside_down = Series(series.steps, tuple(-v for v in series.values))
    rise = rise_since_lowest(upside_down)
    if rise is None or opponents(history):
        return None
    best, end = skill(history, -rise.lowest), skill(history, -rise.end)
    if best is None or end is None or not (isfinite(best) and isfinite(end)):
        return None
    if best - end <= WORSE or rise.deviations < DEVIATIONS:
        return None
    return Finding(
        rule="best_was_earlier",
        sentence=(
            f"The validation score was {-rise.lowest:.2g} after step {rise.step} and is "
            f"{-rise.end:.2g} at the end."
        ),
        steps=(rise.step, series.steps[-1]),
        evidence=(
            Evidence(
                "fall of the score, of what it was above guessing", best - end, WORSE, percent=True
            ),
        ),
        strength=min((best - end) / WORSE, 1e6),
    )


OVERFITTING = Rule(
    name="overfitting",
    title="Overfitting",
    find=overfitting,
    explanation=(
        "The network memorises its training samples instead of what they have in common: it is "
        "much worse on other samples, and each further step makes its predictions for them worse. "
        "Where the training part is small, more rows help most."
    ),
    healthy=(
        "A score on validation data near that on training data, or a validation loss whose lowest "
        "value is near the end."
    ),
    source="Prechelt 1998, Early stopping - but when?",
    explains=("best_was_earlier",),
    remedies=("stop_early", "add_dropout", "add_weight_decay", "more_data", "shrink"),
    change=(
        "best = copy.deepcopy(model.state_dict())  # after each epoch with the best validation "
        "score\n"
        "model.load_state_dict(best)  # at the end\n"
        "optimizer = torch.optim.AdamW(model.parameters(), lr=..., weight_decay=0.05)"
    ),
)
BEST_WAS_EARLIER = Rule(
    name="best_was_earlier",
    title="An earlier state was better",
    find=best_was_earlier,
    explanation=(
        "The network knew more before: steps that are too large, or training for too long, have "
        "destroyed it. Keep the weights of the best validation score."
    ),
    healthy="A validation score at the end that is within its noise of the best one.",
    source="Prechelt 1998, Early stopping - but when?",
    symptom=True,
    remedies=("stop_early", "search_rate"),
    change=(
        "if score > best_score:  # after each epoch\n"
        "    best_score, best = score, copy.deepcopy(model.state_dict())\n"
        "model.load_state_dict(best)  # at the end"
    ),
    own_loops=True,
)
