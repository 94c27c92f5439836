"""Runs that end while their loss still falls."""

from __future__ import annotations

from statistics import median

from netwise.diagnosis.curves import expected_gain, last_slope, level_at_end
from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEW_STEPS,
    FEWEST,
    LEARNED,
    falls_short,
    final_loss_share,
    gain_to_come,
    has_learned,
    loss_share,
    no_baseline,
    opponents,
)
from netwise.history import DIVERGED, RUNNING, History
from netwise.signals import EVALUATION_INPUT_MEAN, LOSS, TRAIN_LOSS, VALID_LOSS

# Gains in half as many steps again, as a share of the loss of guessing. Healthy programs of the
# clinic that end above a third of the loss of guessing have at most 0.06 where the validation loss
# falls, too, and none of them ends within 150 steps; those with too few epochs, too little patience
# or too few steps have 0.1 and more, and 0.05 with a small rate as well.
GAIN = 0.08
GAIN_OF_FEW = 0.04  # in runs of up to `FALLING_STEPS`
MOST = 1.0  # of the loss of guessing: a loss above it is not only too early, and nothing learned
# Steps of a run that falls, up to which it is certain that more steps are the cure. Beyond, a small
# rate, frozen layers, a bad start or strong dropout are as likely: that is a symptom.
FALLING_STEPS = 150
FEW_EPOCHS = 3
FEWEST_STEPS = 25  # the same in any number of epochs, as of batches that are most of the data
FEW_OF_UNKNOWN = 50  # the same, of a loss that may have its lowest value near the first one
REMAINS = 0.75  # of the first losses, and of that of guessing, at the end of a run of few steps
FROM_GUESSING = 0.6  # of the loss of guessing at the start: the network did not know its task

# A run without an evaluation may be meant to be short, such as a test of the loop.
NO_EVALUATION = "no evaluation was observed: call w.epoch(valid_loss=...) after each epoch"


def _evaluations(history: History) -> int:
    """Evaluations that were observed, where they are few. The loss of one may be unknown, such as
    one that is written by hand; its inputs are known in the first ones."""
    series = (history.of(signal) for signal in (VALID_LOSS, EVALUATION_INPUT_MEAN))
    return max((len(each) for each in series if each is not None), default=0)


def too_short(history: History) -> Answer:
    """Find a run of some steps that has not learned, and whose loss still falls at the end."""
    if opponents(history):
        return Unchecked(no_baseline(history))
    if not _evaluations(history):
        return Unchecked(NO_EVALUATION)
    if history.ended.how in (DIVERGED, RUNNING) or has_learned(history):
        return None
    if history.ended.step > FALLING_STEPS:
        return None
    return _still_falls(history, "too_short")


def too_few_steps(history: History) -> Answer:
    """Find a run of so few steps that hardly any network learns its task in them, whatever else is
    wrong, and whose loss says the same."""
    if opponents(history):
        return Unchecked(no_baseline(history))
    if not _evaluations(history):
        return Unchecked(NO_EVALUATION)
    if history.ended.how in (DIVERGED, RUNNING):
        return None
    return _ends_at_once(history)


def loss_still_falls(history: History) -> Answer:
    """Find a run of many steps that is clearly below a simple model of the same data, and whose
    loss still falls at the end.

    Where no simple model is known, as of texts, each longer run would be better, and none accused.
    """
    if opponents(history):
        return Unchecked(no_baseline(history))
    if gain_to_come(history) is None or final_loss_share(history) is None:
        return Unchecked(no_baseline(history))
    if not _evaluations(history):
        return Unchecked(NO_EVALUATION)
    if history.ended.how in (DIVERGED, RUNNING) or history.ended.step <= FALLING_STEPS:
        return None
    if not falls_short(history) or has_learned(history):
        return None
    return _still_falls(history, "loss_still_falls")


def _still_falls(history: History, rule: str) -> Finding | None:
    gain, left = gain_to_come(history), final_loss_share(history)
    if gain is None or left is None or not LEARNED <= left < MOST:
        return None
    limit = GAIN if rule == "loss_still_falls" else GAIN_OF_FEW
    if gain * left < limit:
        return None
    if not _validation_falls(history):
        return None
    losses = history.of(TRAIN_LOSS) or history.of(LOSS)
    assert losses is not None  # the gain follows from it
    third = losses.steps[-1] - (losses.steps[-1] - losses.steps[0]) // 3
    return Finding(
        rule=rule,
        sentence=(
            f"The run ends after {history.ended.step} steps with {100 * left:.0f} % of the loss of "
            f"guessing left, while the loss falls: half as many steps again are expected to take "
            f"{100 * gain:.0f} % of it."
        ),
        steps=(third, losses.steps[-1]),
        evidence=(Evidence("expected fall / loss of guessing", gain * left, limit, percent=True),),
        strength=gain * left / limit,
    )


def _validation_falls(history: History) -> bool:
    """Whether the validation loss falls as well; True where one value is all that is known."""
    valid = history.of(VALID_LOSS)
    if valid is None or len(valid.finite) < 2:
        return True
    if len(valid.finite) < 2 * FEWEST:
        return valid.finite[-1] < min(valid.finite[:-1])
    slope, gain = last_slope(valid), expected_gain(valid)
    share = loss_share(history, level_at_end(valid))
    if slope is None or gain is None or share is None:
        return True
    return slope.falls > 2 and gain > 0


def _ends_at_once(history: History) -> Finding | None:
    """A run of so few steps that a network cannot have learned, and whose loss says the same."""
    losses, epochs = history.of(LOSS), _evaluations(history)
    known = final_loss_share(history) is not None
    few = FEW_STEPS if known else FEW_OF_UNKNOWN
    most = few if epochs <= FEW_EPOCHS else FEWEST_STEPS
    if not 0 < history.ended.step <= most:
        return None
    if losses is None or len(losses.finite) < FEWEST:
        return None
    if "LBFGS" in (history.facts.optimizer or ""):
        return None  # each of its steps is many
    start, end = median(losses.finite[:3]), level_at_end(losses, fewest=FEWEST)
    first, left = loss_share(history, start), final_loss_share(history)
    if end is None or start <= 0:
        return None
    if end <= REMAINS * start and (left is None or left < MOST):
        return None
    if first is not None and left is not None and (first < FROM_GUESSING or left < REMAINS):
        return None
    # One evaluation at the end does not tell how often the data were seen.
    times = f" in {epochs} epochs" if epochs > 1 else ""
    return Finding(
        rule="too_few_steps",
        sentence=(
            f"The run ends after {history.ended.step} steps{times}, with a loss of {end:.3g} after "
            f"{start:.3g} at the start: most networks need hundreds of steps."
        ),
        steps=(losses.steps[-1], losses.steps[-1]),
        evidence=(
            Evidence("steps", history.ended.step, FEW_STEPS, above=False),
            Evidence("loss at the end / at the start", end / start, REMAINS, percent=True),
        ),
        strength=FEW_STEPS / history.ended.step,
    )


TOO_FEW_STEPS = Rule(
    name="too_few_steps",
    title="Too few steps for any network",
    find=too_few_steps,
    explanation=(
        "Weights move a little in each step, and an untrained network is far from one that has "
        "learned. In fewer than a hundred steps hardly any gets there, whatever its rate and its "
        "data are: other faults of such a run show only with more of them."
    ),
    healthy="Hundreds of steps, or a loss that has come down in fewer.",
    source="Goodfellow, Bengio, Courville 2016, section 11.4",
    explains=("too_short", "not_learning", "plateau", "one_answer", "loss_still_falls"),
    tasks=WITH_TARGETS,
    change="for epoch in range(10 * epochs):  # or smaller batches: more steps in each epoch",
    own_loops=True,
)
TOO_SHORT = Rule(
    name="too_short",
    title="Training that ends too early",
    find=too_short,
    explanation=(
        "Training ended while the loss was falling: with more epochs, or smaller batches, the same "
        "network learns more. Early stopping that asks for a large gain in each epoch, or that "
        "waits for one epoch only, ends runs like this."
    ),
    healthy="A loss that has almost stopped falling when the run ends.",
    source="Prechelt 1998, Early stopping - but when?",
    explains=("not_learning", "plateau", "one_answer", "loss_still_falls"),
    tasks=WITH_TARGETS,
    change=(
        "for epoch in range(10 * epochs):  # more of them\n"
        "    ...\n"
        "# with early stopping: patience of 5 to 10 epochs, min_delta of 0"
    ),
    own_loops=True,
)
LOSS_STILL_FALLS = Rule(
    name="loss_still_falls",
    title="A loss that still falls at the end",
    find=loss_still_falls,
    explanation=(
        "The network learns slowly: its steps may be too small, its start far off, a part of it "
        "frozen, or its noise strong; or it only needs more of them. This is a symptom."
    ),
    healthy="A loss that has almost stopped falling when the run ends.",
    source="Prechelt 1998, Early stopping - but when?",
    tasks=WITH_TARGETS,
    symptom=True,
    remedies=("search_rate", "more_epochs"),
    change="for epoch in range(3 * epochs):  # or a rate that is three times as high",
    own_loops=True,
)
