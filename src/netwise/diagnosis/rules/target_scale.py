"""Targets of a scale that the first outputs of a network are far from."""

from __future__ import annotations

from netwise.diagnosis.rules.better_models import beaten_by_simple_models, scale_may_harm
from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.diagnosis.rules.outcome import no_baseline, outcome_known, series_by_layer
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History
from netwise.signals import ACTIVATION_STD
from netwise.tasks import SQUARED
from netwise.wiring import NUMBERS, LossTerm

FAR = 30.0  # size of the targets: a network's first outputs have a standard deviation near 1
APART = 30.0  # standard deviations of columns; squared, 900 times the weight
PREDICTABLE = 0.3  # R² of simple models over all columns, each in its own unit
REACH = 30.0  # size of the targets over the standard deviation of the first outputs


def target_not_scaled(history: History) -> Answer:
    """Find regression targets far larger than the network's first outputs, in a run that has not
    learned, or less than a simple model of standardised data."""
    answer = _of_scale(history)
    known = outcome_known(history) or beaten_by_simple_models(history)
    if isinstance(answer, Finding) and not known:
        return Unchecked(no_baseline(history))
    return answer


def _of_scale(history: History) -> Answer:
    facts = history.facts
    if facts.class_targets is None:
        part = _of_part(history)
        return part or Unchecked("the targets are not known: pass them to w.step(loss, y)")
    if (
        facts.class_targets
        or facts.target_mean is None
        or facts.target_std is None
        or not scale_may_harm(history)
    ):
        return None
    spread = history.of(ACTIVATION_STD, history.layers[-1].name) if history.layers else None
    if spread is None:
        return Unchecked("no outputs were recorded: call w.step(loss, y) after loss.backward()")
    size = max(abs(facts.target_mean), facts.target_std)
    ratio = size / max(spread.values[0], 1e-12)
    if size <= FAR or not ratio > REACH:
        return None
    return Finding(
        rule="target_not_scaled",
        sentence=(
            f"The targets have mean {facts.target_mean:,.3g} and standard deviation "
            f"{facts.target_std:,.3g}; the standard deviation of the first outputs is "
            f"{spread.values[0]:.3g}."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("larger of |mean| and standard deviation of the targets", size, FAR),
            Evidence("the same over the standard deviation of the first outputs", ratio, REACH),
        ),
        strength=size / FAR,
        change=(
            f"mean, std = y_train.mean(0), y_train.std(0)   # {facts.target_mean:,.4g} and "
            f"{facts.target_std:,.4g}\n"
            "y_train, y_valid = (y_train - mean) / std, (y_valid - mean) / std\n"
            "prediction = model(x) * std + mean"
        ),
    )


def _of_part(history: History) -> Finding | None:
    """Of a loss of several parts: one with targets far beyond all first outputs, which drowns the
    other parts."""
    terms = () if history.wiring is None else history.wiring.losses
    sizes = [(size_of_targets(term), term) for term in terms]
    size, term = max(sizes, key=lambda each: each[0], default=(0.0, None))
    spread = spread_at_start(history)
    others = [each for each in terms if each is not term and not each.penalty and each.operation]
    if term is None or spread is None or not others or not scale_may_harm(history):
        return None
    if size <= FAR or not size > REACH * max(spread, 1e-12):
        return None
    low, high = term.target_low, term.target_high
    return Finding(
        rule="target_not_scaled",
        sentence=(
            f"The targets of one part of the loss, the {term.operation}, are from {low:,.3g} to "
            f"{high:,.3g}, and the first outputs have a standard deviation of {spread:.2g} at "
            f"most: beside its gradients those of the other parts ({others[0].operation}) are "
            f"lost ({term.place})."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("largest target of that part", size, FAR),
            Evidence("the same over that of the first outputs", size / max(spread, 1e-12), REACH),
        ),
        strength=size / FAR,
        change=(
            f"scale = {size:,.4g}  # of these targets\n"
            "loss = other_loss + criterion(prediction, target / scale)\n"
            "answer = prediction * scale  # where it is used"
        ),
    )


def targets_of_unlike_units(history: History) -> Answer:
    """Find a squared error over several targets whose standard deviations are far
    apart, so that nearly all of the loss is that of the largest."""
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    data = history.data
    if data is None or data.train_samples == 0 or data.class_targets:
        return Unchecked("no targets of several numbers were kept")
    if data.target_spreads is None or history.facts.loss_kind != SQUARED:
        return None
    least, most = data.target_spreads
    ratio = most / least
    if ratio <= APART:
        return None
    return Finding(
        rule="targets_of_unlike_units",
        sentence=(
            "The targets have several columns in units of their own: their standard deviations "
            f"are from {least:.2g} to {most:.2g}. One loss over all of them weighs an error of one "
            f"standard deviation {ratio**2:,.0f} times as much in one column as in another, "
            "which is hardly learned. Give each column the mean 0 and the standard deviation 1."
        ),
        evidence=(Evidence("largest / smallest standard deviation of a column", ratio, APART),),
        strength=ratio / APART,
        grade="cause" if (data.best_score or 0.0) >= PREDICTABLE else "suspect",
        change=(
            "mean, std = y_train.mean(0), y_train.std(0)  # one for each column\n"
            "y_train, y_valid = (y_train - mean) / std, (y_valid - mean) / std\n"
            "prediction = model(x) * std + mean"
        ),
    )


def spread_at_start(history: History) -> float | None:
    """The largest standard deviation of a layer's first activations; None without any."""
    spreads = series_by_layer(history, ACTIVATION_STD).values()
    return max((series.values[0] for series in spreads), default=None)


def size_of_targets(term: LossTerm) -> float:
    """The largest size of targets that are numbers; 0 of others, and where they are not known."""
    if term.penalty or term.target_kind != NUMBERS:
        return 0.0
    return max(abs(term.target_low or 0.0), abs(term.target_high or 0.0))


TARGET_NOT_SCALED = Rule(
    name="target_not_scaled",
    title="Unscaled targets",
    find=target_not_scaled,
    explanation=(
        "The first outputs of a network are around 0 with a standard deviation near 1. Targets in "
        "the hundreds make the first loss and its gradients huge, so that steps are too long; or "
        "training takes very many steps."
    ),
    healthy="Targets of a few times the standard deviation of the network's first outputs.",
    source="LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.5",
    explains=(
        "gradient_zero",
        "not_finite",
        "saturation",
        "dead_relu",
        "exploding_gradient",
        "vanishing_gradient",
        "rate_too_high",
        "rate_too_low",
        "overfitting",
        "underfitting",
        "not_learning",
    ),
    tasks=WITH_TARGETS,
    remedies=("scale_targets",),
    change=(
        "mean, std = y_train.mean(0), y_train.std(0)\n"
        "y_train, y_valid = (y_train - mean) / std, (y_valid - mean) / std"
    ),
)
TARGETS_OF_UNLIKE_UNITS = Rule(
    name="targets_of_unlike_units",
    title="Targets in units that are far apart",
    find=targets_of_unlike_units,
    explanation=(
        "A squared error adds the columns of the targets up as they are. One in thousands has a "
        "million times the weight of one in units: the network learns the large one, and the loss "
        "shows nothing of the others."
    ),
    healthy="Columns of targets with standard deviations of one size, or a loss with weights.",
    source="Bishop 1995, Neural Networks for Pattern Recognition, sections 6.1 and 8.2",
    explains=("target_not_scaled", *CONSEQUENCES),
    own_loops=True,
)
