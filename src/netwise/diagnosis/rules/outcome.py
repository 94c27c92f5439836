"""How much a run has learned: what rules check before they call an unusual number a fault."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from statistics import median

from netwise.diagnosis.curves import expected_gain, last_slope, level_at_end
from netwise.diagnosis.rules.finding import Answer, Finding, Unchecked
from netwise.history import DIVERGED, History, Series
from netwise.signals import (
    LOSS,
    RATE,
    TRAIN_ACCURACY,
    TRAIN_LOSS,
    VALID_ACCURACY,
    VALID_LOSS,
    VALID_R2,
)
from netwise.tasks import OF_PROBABILITIES, OF_SIGMOID_LOGITS, SQUARED, task_named

MUCH_HIGHER = 10.0  # the highest rate over that of the run
FEWEST = 5  # watched steps that a rule needs: one batch alone may be unusual
# Share of the loss of guessing that is left when a run has clearly learned. Runs of the gallery and
# others with bundled data that reach usual accuracies end below 0.3, those with faults above 0.5.
LEARNED = 0.35
LEAST_R2 = 0.5  # of an autoencoder that has learned
# Skill, of which 0 is the best constant prediction and 1 a perfect one.
SHORT = 0.15  # that a simple model has more, where a network falls short
SKILFUL = 0.1  # of a simple model that shows that there is something to learn
ERRORS = 3.0  # standard errors of a score that was measured on a sample
# Slopes.
UP_TO_THE_END = 0.75  # of the epochs: a curve that ends before tells nothing of the end
CERTAIN = 3.0  # standard errors of a slope that is no noise
# Steps after which hardly any network that starts from random weights has learned its task: of the
# clinic's healthy programs the shortest has 120.
FEW_STEPS = 100
WORTHWHILE = 0.05  # of the loss that is left: gain in half as many steps again

OF_YES_OR_NO = (
    OF_SIGMOID_LOGITS,
    OF_PROBABILITIES,
)  # kinds of losses of one output for each sample

NOTHING = Series((), ())

# Reasons why rules could not be checked.
NO_LAYERS = "no layers were recorded: call w.step(loss, y) after loss.backward()"
NO_GRADIENTS = "no gradients were recorded: call w.step(loss, y) after loss.backward()"
NO_UPDATES = "no weight updates were recorded: call w.step(loss, y) before optimizer.step()"
NO_ACTIVATIONS = (
    "it is not known which activations are between the layers: use modules such as nn.ReLU, or "
    "functions of torch"
)
NO_BASELINE = (
    "the loss of the best constant prediction is not known: pass loss=... to `watch`, and the "
    "targets to w.step"
)
NO_LOSS_KIND = (
    "the kind of the loss is not known: pass loss=... to `watch`, and the targets to w.step"
)


def too_few_steps(
    count: int, what: str = "steps with finite gradients", fewest: int = FEWEST
) -> str:
    """Why a rule could not be checked on so few steps."""
    return f"{fewest} {what} are needed, and {count} recorded: train for longer"


def final_loss(history: History) -> float | None:
    """Training loss at the end: of the last epoch, or over the last tenth of the watched steps. Of
    a run that has just begun over all of them: what they show is the start."""
    epochs = history.of(TRAIN_LOSS)
    if epochs is not None and len(epochs):
        return epochs.last
    steps = history.of(LOSS)
    if steps is None or not len(steps) or (len(steps) < FEWEST and not has_just_begun(history)):
        return None
    return mean(steps.values[-max(FEWEST, len(steps) // 10) :])


def has_just_begun(history: History) -> bool:
    """Whether no more than the first steps of a program are known, as in a check before training:
    what a rule says of a run that has not learned holds of its start."""
    return history.wiring is not None and 0 < history.ended.step < FEWEST


def final_loss_share(history: History) -> float | None:
    """`loss_share` of the training loss at the end; infinite for a run that diverged.

    Of an observed program the lower one of the epochs' loss and of the last batches' loss: the
    former may be of other rows, and the latter with dropout.
    """
    if history.ended.how == DIVERGED:
        return math.inf
    share = loss_share(history, final_loss(history))
    if share is None or history.wiring is None:
        return share
    batches = loss_share(history, level_at_end(history.of(LOSS) or NOTHING, fewest=FEWEST))
    return share if batches is None else min(share, batches)


def loss_share(history: History, loss: float | None) -> float | None:
    """Where a loss lies between that of perfect predictions (0) and that of the best constant one
    (1); None where those are not known, infinite for a loss that is no finite number."""
    if loss is not None and not math.isfinite(loss):
        return math.inf
    guess, least = history.facts.loss_of_guessing, history.facts.least_loss or 0.0
    if loss is None or guess is None or guess <= least or opponents(history):
        return None
    return (loss - least) / (guess - least)


def opponents(history: History) -> tuple[str, ...]:
    """Modules that are trained against this one, as in a GAN: its loss depends on them, and does
    not fall below that of guessing when it learns."""
    return () if history.wiring is None else history.wiring.opponents


def no_baseline(history: History) -> str:
    """Why it is not known how much a run has learned."""
    others = opponents(history)
    if others:
        return f"the loss depends on {' and '.join(others)}, trained against this module"
    return NO_BASELINE


def if_outcome_known(find: Callable[[History], Answer]) -> Callable[[History], Answer]:
    """A rule about numbers that do no harm in a run that learns. Where it is not known how much the
    run has learned, what the rule finds is not checked."""

    @wraps(find)
    def with_known_outcome(history: History) -> Answer:
        answer = find(history)
        if isinstance(answer, Finding) and not outcome_known(history):
            return Unchecked(no_baseline(history))
        return answer

    return with_known_outcome


def outcome_known(history: History) -> bool:
    """Whether it is known how much the run has learned."""
    has_r2 = history.of(VALID_R2) is not None
    by_r2 = has_r2 and task_named(history.facts.task).inputs_are_targets
    return by_r2 or final_loss_share(history) is not None or simple_skill(history) is not None


def generalises(history: History) -> bool:
    """Whether the run has clearly learned, also on validation data where there are any."""
    valid = history.of(VALID_LOSS)
    best = min(valid.finite) if valid is not None and valid.finite else None
    share = 0.0 if best is None else loss_share(history, best)
    if share is None or share >= LEARNED:
        return matches_simple_model(history)
    return has_learned(history)


def has_learned(history: History) -> bool:
    """Whether the run has clearly learned, so that unusual numbers inside it did no harm; False
    where it is not known.

    An autoencoder has learned where it reconstructs half of its inputs' variance: its loss may
    contain penalties. Other networks have learned where little of the loss of guessing is left and
    no simple model is clearly better; or where they are as good as the best simple model of data
    that can be predicted, since what is left may be noise.
    """
    if history.ended.how == DIVERGED:
        return False
    r2 = history.of(VALID_R2)
    if task_named(history.facts.task).inputs_are_targets and r2 is not None and r2.finite:
        return r2.finite[-1] > LEAST_R2
    if falls_short(history):
        return False
    left = final_loss_share(history)
    return matches_simple_model(history) or (left is not None and left < LEARNED)


def train_accuracy(history: History) -> Series | None:
    """The training accuracy of epochs, where it was recorded up to the end: of a watched program
    whose epochs have few steps, it is known of the first ones only."""
    train, valid = history.of(TRAIN_ACCURACY), history.of(VALID_ACCURACY)
    if train is None or valid is None or not len(train) or not len(valid):
        return train
    late = valid.steps[0] + UP_TO_THE_END * (valid.steps[-1] - valid.steps[0])
    return train if train.steps[-1] >= late else None


def chance_score(history: History) -> float | None:
    """The validation score of the best constant prediction: the share of the most frequent class,
    or an R² of 0."""
    data, facts = history.data, history.facts
    if data is not None:
        for chance in (data.evaluation_chance_score, data.chance_score):
            if chance is not None:
                return chance
    if facts.class_shares:
        return max(facts.class_shares)
    if facts.classes and facts.class_targets:
        return 1 / facts.classes
    yes = facts.target_mean
    if facts.loss_kind in OF_YES_OR_NO and yes is not None and 0 <= yes <= 1:
        return max(yes, 1 - yes)
    return 0.0 if facts.class_targets is False and facts.loss_kind == SQUARED else None


def valid_score(history: History) -> float | None:
    """The score on validation data at the end, accuracy or R², over the last part of the epochs;
    else what the last evaluated batches show; else R² from the loss, where that is a squared error.
    None where it is not known."""
    for name in (VALID_ACCURACY, VALID_R2):
        series = history.of(name)
        if series is not None and series.finite:
            return level_at_end(series)
    data = history.data
    if data is None:
        return r2_of_loss(history)
    if data.class_targets:
        return data.evaluation_accuracy
    # That of the loss is compared with the variance of the training targets.
    return r2_of_loss(history) if data.evaluation_r2 is None else data.evaluation_r2


def r2_of_loss(history: History) -> float | None:
    """The R² at the end that follows from the validation loss, where that is a squared error of
    numbers; else None."""
    losses = history.of(VALID_LOSS)
    if losses is None or history.facts.loss_kind != SQUARED or history.facts.class_targets:
        return None
    share = loss_share(history, level_at_end(losses))
    return None if share is None else 1 - share


def skill(history: History, score: float | None) -> float | None:
    """A score on a scale of which 0 is the best constant prediction and 1 a perfect one."""
    chance = chance_score(history)
    if score is None or chance is None or chance >= 1:
        return None
    return (score - chance) / (1 - chance)


def simple_score(history: History) -> float | None:
    """The best score of a simple model on evaluation data, else on a part of the training data that
    it was not fitted to; None where none was asked."""
    data = history.data
    if data is None:
        return None
    for score in (data.best_evaluation_score, data.best_score):
        if score is not None and math.isfinite(score):
            return score
    return None


def simple_skill(history: History) -> float | None:
    """`skill` of the best simple model; None where the score of the network is not known."""
    score = simple_score(history)
    return None if valid_score(history) is None else skill(history, score)


def score_error(history: History) -> float:
    """Standard error of the difference of two scores on the sample that simple models saw."""
    data = history.data
    rows = 0 if data is None else data.evaluation_samples or data.train_samples
    score = simple_score(history)
    if not rows or score is None:
        return 0.0
    share = min(max(score, 0.0), 1.0)
    return math.sqrt(2 * share * (1 - share) / rows)


def falls_short(history: History) -> bool:
    """Whether a simple model of the same data is clearly better on data that neither was fitted
    to: the network could have learned more, whatever its loss is. False where it is not known."""
    simple, score = simple_score(history), valid_score(history)
    reached, possible = skill(history, score), skill(history, simple)
    if reached is None or possible is None or simple is None or score is None:
        return False
    if history.data is not None and history.data.leaked_rows:
        return False  # the neighbour knows the answers
    return possible > reached + SHORT and simple > score + ERRORS * score_error(history)


def matches_simple_model(history: History) -> bool:
    """Whether the network is at least as good as the best simple model, of data that can be
    predicted: what is left may be noise. False where it is not known."""
    simple, score = simple_score(history), valid_score(history)
    possible = skill(history, simple)
    return possible is not None and possible > SKILFUL and _no_worse(history, score, simple)


def _no_worse(history: History, score: float | None, simple: float | None) -> bool:
    """Whether a score is that of the best simple model or more, up to chance."""
    return score is not None and simple is not None and score >= simple - score_error(history)


def learned_what_simple_models_do(history: History) -> bool:
    """Whether the network is above chance and no worse than the best simple model of the same
    rows: where that is little too, most of the targets is noise. False where it is not known."""
    simple, score, chance = simple_score(history), valid_score(history), chance_score(history)
    if simple is None or score is None or chance is None or simple <= chance:
        return False
    return score - chance > score_error(history) and _no_worse(history, score, simple)


def still_falls(history: History) -> bool:
    """Whether the training loss still falls at the end, so that half as many steps again would take
    a worthwhile part of what is left of it; False where it is not known."""
    gain = gain_to_come(history)
    return gain is not None and gain > WORTHWHILE


def is_still_young(history: History) -> bool:
    """Whether a run has so few steps that the noise of batches hides a slope in its last part, and
    the loss falls over the whole of it."""
    losses = history.of(LOSS)
    slope = None if losses is None else last_slope(losses, share=1.0)
    return history.ended.step < FEW_STEPS and slope is not None and slope.falls >= CERTAIN


def gain_to_come(history: History) -> float | None:
    """The fall of the training loss that is to be expected in half as many steps again, as a share
    of what is left of it; 0 where its slope over the last third is no more than noise. None where
    it is not known."""
    losses = history.of(TRAIN_LOSS)
    if losses is None or len(losses) < 2 * FEWEST:
        losses = history.of(LOSS)
    if losses is None or opponents(history):
        return None
    slope, gain, level = last_slope(losses), expected_gain(losses), level_at_end(losses)
    if slope is None or gain is None or level is None:
        return None
    left = level - (history.facts.least_loss or 0.0)
    if slope.falls < CERTAIN or left <= 0:
        return 0.0
    return min(1.0, gain / left)


def rate_text(history: History) -> str:
    """The learning rate in brackets, for the middle of a sentence; "" where it is not known."""
    rate, series = history.facts.rate, history.of(RATE)
    if rate is None:
        return ""
    highest = max(series.finite, default=rate) if series is not None else rate
    if highest > MUCH_HIGHER * rate > 0:  # as in a test of the rate, before the training
        return f" (learning rates of up to {highest:.3g})"
    return f" (learning rate {rate:g})"


def finite_median(values: Iterable[float]) -> float | None:
    """Median of the finite values, or None without any."""
    finite = [v for v in values if math.isfinite(v)]
    return median(finite) if finite else None


def mean(values: Sequence[float]) -> float:
    """The mean; not a number where infinities of both signs are among the values."""
    return sum(values) / len(values)


def span(first: int, last: int) -> tuple[int, int]:
    """First and last step of a finding. A series that was cut short may end before the step at
    which the rule begins."""
    return min(first, last), last


def series_by_layer(history: History, signal: str) -> dict[str, Series]:
    """The series of one signal for all layers that have it, in order of use."""
    series = ((layer.name, history.of(signal, layer.name)) for layer in history.layers)
    return {name: each for name, each in series if each is not None and len(each)}
