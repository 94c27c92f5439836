"""What the curves say at the end: not learning, overfitting (过拟合), underfitting (欠拟合)."""

from __future__ import annotations

from math import isfinite

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import FEWEST, average, final_loss, share_left, share_of
from netwise.history import DIVERGED, History
from netwise.signals import LOSS, TRAIN_ACCURACY, TRAIN_LOSS, VALID_ACCURACY, VALID_LOSS

ABOVE_VALID = 0.1  # training accuracy over validation accuracy
NEAR_CHANCE = 1.2  # validation accuracy over chance, and two points for the noise of a small part
NOTHING = 0.9  # share of the loss of guessing that is left where nothing was learned
RISE = 1.2  # validation loss at the end over its best
EARLY_BEST = 0.7  # the best epoch lies in this first part of the run
MEMORISED = 0.3  # training loss over validation loss
MATTERS = 0.05  # validation loss over that of guessing: below it there is nothing left to lose
LITTLE = 0.6  # share of the loss of guessing that is left where little was learned
FLAT = (
    0.05  # fall of the training loss over the last third, as a share of it: less is standing still
)
ALIKE = (
    1.3  # validation loss over training loss: above it the network learns what does not carry over
)


def not_learning(history: History) -> Answer:
    """Find a run that ends no better than the best constant answer."""
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
    left = share_left(history)
    if left is None:
        return Unchecked(
            "it is not known what a constant answer would score: pass the loss function to watch"
        )
    if left < NOTHING:
        return None
    last, guess = final_loss(history), history.facts.loss_of_guessing
    steps = (history.of(TRAIN_LOSS) or history.of(LOSS)).steps  # type: ignore[union-attr]
    return Finding(
        rule="not_learning",
        sentence=f"The training loss ends at {last:.3g}; a constant answer scores {guess:.3g}.",
        steps=(steps[-1], steps[-1]),
        evidence=(Evidence("training loss / loss of guessing", left, NOTHING),),
        strength=min(left, 1e6) / NOTHING,
    )


def overfitting(history: History) -> Answer:
    """Find a validation loss that has risen since an early best while the training loss fell far
    below it."""
    train, valid = history.of(TRAIN_LOSS), history.of(VALID_LOSS)
    if train is None or valid is None:
        return Unchecked(
            "training and validation loss of each epoch are needed: call w.epoch(train_loss=..., valid_loss=...)"
        )
    if len(valid) < FEWEST:
        return Unchecked(f"{len(valid)} epochs are too few to see a turn; {FEWEST} needed")
    if not isfinite(valid.last) or not isfinite(train.last):
        return None
    left = share_of(history, valid.last)
    if left is not None and left < MATTERS:
        return None  # validation is as good as done: what rises there is noise
    best = min(valid.finite)
    at = valid.values.index(best)
    rise = valid.last / best if best > 0 else 1.0
    memorised = train.last / valid.last if valid.last > 0 else 1.0
    if (at + 1) > EARLY_BEST * len(valid) or rise <= RISE or memorised >= MEMORISED:
        return None
    scores = ""
    shares = history.of(TRAIN_ACCURACY), history.of(VALID_ACCURACY)
    if shares[0] is not None and shares[1] is not None:
        scores = f" ({100 * shares[0].last:.0f} % right in training, {100 * shares[1].last:.0f} % in validation)"
    return Finding(
        rule="overfitting",
        sentence=(
            f"The validation loss was best in epoch {at + 1} of {len(valid)} and has risen {rise:.2f} times since, "
            f"while training fell to {train.last:.2g}{scores}."
        ),
        steps=(valid.steps[at], valid.steps[-1]),
        evidence=(
            Evidence("validation loss / its best", rise, RISE),
            Evidence("training / validation loss", memorised, MEMORISED, above=False),
        ),
        strength=rise / RISE,
    )


def underfitting(history: History) -> Answer:
    """Find a training loss that stands still far from 0, with validation beside it: the network or
    its brakes, not the data's noise alone."""
    left = share_left(history)
    if left is None:
        return Unchecked(
            "it is not known what a constant answer would score: pass the loss function to watch"
        )
    if left >= NOTHING or left <= LITTLE:
        return None  # nothing at all was learned: another finding; or enough
    train, valid = history.of(TRAIN_LOSS), history.of(VALID_LOSS)
    if train is None or len(train) < 2 * FEWEST:
        return Unchecked(
            f"training loss of at least {2 * FEWEST} epochs is needed to see it stand still"
        )
    third = max(2, len(train) // 3)
    before, after = average(train.values[-2 * third : -third]), average(train.values[-third:])
    fall = (before - after) / before if before > 0 else 0.0
    if fall > FLAT:
        return None  # still on its way
    if valid is not None and valid.last > ALIKE * train.last:
        return None
    beside = f", validation {valid.last:.3g}" if valid is not None else ""
    return Finding(
        rule="underfitting",
        sentence=f"The training loss stands still at {train.last:.3g} ({100 * left:.0f} % of what guessing scores){beside}.",
        steps=(train.steps[-third], train.steps[-1]),
        evidence=(
            Evidence("training loss / loss of guessing", left, LITTLE),
            Evidence("fall over the last third", fall, FLAT, above=False),
        ),
        strength=left / LITTLE,
    )


def labels_suspect(history: History) -> Answer:
    """Find a run that learns its training labels by heart and none of the validation ones: the
    labels do not belong to the inputs."""
    train, valid, classes = (
        history.of(TRAIN_ACCURACY),
        history.of(VALID_ACCURACY),
        history.facts.classes,
    )
    if history.facts.task == "regression":
        return None
    if train is None or valid is None or not classes:
        return Unchecked(
            "training and validation accuracy of each epoch are needed: call w.epoch(train_accuracy=..., valid_accuracy=...)"
        )
    chance = 1 / classes
    best = max(valid.finite, default=1.0)
    if (
        train.last < valid.last + ABOVE_VALID
        or train.last < 2 * chance
        or best > NEAR_CHANCE * chance + 0.02
    ):
        return None
    return Finding(
        rule="labels_suspect",
        sentence=(
            f"{100 * train.last:.0f} % of the training labels are learned, and validation never got above {100 * best:.0f} %: chance is {100 * chance:.0f} %."
        ),
        steps=(0, train.steps[-1]),
        evidence=(
            Evidence("training - validation accuracy", train.last - valid.last, ABOVE_VALID),
        ),
        strength=(train.last - valid.last) / ABOVE_VALID,
    )


LABELS_SUSPECT = Rule(
    name="labels_suspect",
    title="Labels that do not belong to the inputs",
    find=labels_suspect,
    explanation=(
        "A network can remember any labels, also wrong ones; what it remembers then says nothing about new samples. Look at a few samples with their labels."
    ),
    healthy="What is learned in training carries over: validation accuracy rises with it, well above chance.",
    source="Zhang, Bengio, Hardt, Recht, Vinyals 2016, arXiv 1611.03530",
    explains=("overfitting", "underfitting", "not_learning", "vanishing_gradient"),
    tasks=WITH_TARGETS,
    remedies=("look_at_labels",),
)
NOT_LEARNING = Rule(
    name="not_learning",
    title="Not learning",
    find=not_learning,
    explanation=(
        "The network does no better than an answer that ignores its input. This is a symptom: look at the finding it hangs under; where it "
        "stands alone, at the data, the loss and the output layer."
    ),
    healthy="A training loss that falls below that of guessing within the first epochs.",
    source="note 003, claims D01 and D05",
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
        "The network has begun to remember its training samples instead of what they have in common: each further step makes it worse on "
        "samples that it has not seen."
    ),
    healthy="A validation loss that is best near the end of the run, or a training loss not far below it.",
    source="Prechelt 1998, Early stopping - but when?; note 004, claims D05, L03 and L04",
    remedies=("stop_early", "add_dropout", "add_weight_decay", "more_data", "shrink"),
)
UNDERFITTING = Rule(
    name="underfitting",
    title="Underfitting",
    find=underfitting,
    explanation=(
        "Training itself has come to rest far from its goal, and validation with it: the network is too small or too strongly held back for "
        "this task, provided that its start and its rate are right."
    ),
    healthy="A training loss that still falls, or has come near that of a perfect answer.",
    source="Goodfellow, Bengio, Courville 2016, section 5.2; note 000, claims D05, D06 and T02",
    tasks=WITH_TARGETS,  # a narrow code gives back what it can hold, and no more
    remedies=("lighten_brakes", "widen"),
)
