"""Faults that show between training and evaluation: wrong modes, statistics of batch normalization
that do not fit, inputs that are prepared otherwise."""

from __future__ import annotations

from math import exp, sqrt
from statistics import median

from netwise.diagnosis.curves import level_at_end
from netwise.diagnosis.rules.better_models import matched_by_simple_models
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.labels import skill
from netwise.diagnosis.rules.observation import (
    MOST,
    NOT_OBSERVED,
    is_over,
    layer_series,
    loop_observed,
    observed,
    signal_of_loop,
    steps_where,
)
from netwise.diagnosis.rules.outcome import LEARNED, loss_share, score_error, valid_score
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History, Series
from netwise.signals import (
    ACCURACY,
    EVALUATION_INPUT_MEAN,
    EVALUATION_INPUT_OFFSET,
    EVALUATION_INPUT_RATIO,
    EVALUATION_INPUT_STD,
    EVALUATION_MODE,
    INPUT_MEAN,
    INPUT_STD,
    NORM_MEAN_OFFSET,
    NORM_VARIANCE_RATIO,
    TRAINING_INPUT_MEAN,
    TRAINING_INPUT_STD,
    TRAINING_MODE,
    VALID_ACCURACY,
    VALID_LOSS,
)

FEWEST_WRONG = 3  # watched steps
FEWEST_EVALUATIONS = 2  # a single pass without gradients may be a trial of shapes
# Batch norm: distances of running statistics from those of evaluation data. Networks with the
# default momentum are near 0.1 and 0.15; with momentum=0.99 the means are off by 1.05 and the
# logarithm of the variances by 1.2.
MEAN_OFF = 0.5  # standard deviations
VARIANCE_OFF = 1.0  # natural logarithm of the ratio
SHIFT = 1.0  # standard deviations of the training inputs
LARGEST = 1e300  # in place of a ratio beyond the range of numbers
HELPED = 0.15  # skill that simple models gain by inputs of the same scale
NEXT = 0.2  # of the distance of the means: a gap, or an overlap, between both parts
STRETCH = 3.0  # ratio of two standard deviations
# Where simple models of the training rows show that the scale does harm, smaller distances count:
# a few of many features may be off.
SHOWN_SHIFT, SHOWN_STRETCH = 0.5, 1.5
BEHIND = 0.03  # accuracy
# Of inputs that are other ones: 1 is told apart without fail, and parts of one data set have less
# than 0.3.
TOLD_APART = 0.8
PREDICTABLE = 0.5  # skill inside of each part
HALF = 0.5  # of it
NO_MODES = "no layer that differs between training and evaluation was seen, such as dropout"
NO_EVALUATION = "no pass under `torch.no_grad()` was observed"


def evaluation_mode_in_training(history: History) -> Answer:
    """Find training steps in evaluation mode, in most steps of a module with dropout or batch
    normalization. Early steps are watched more often, so each one counts for the steps up to the
    next."""
    series = signal_of_loop(history, TRAINING_MODE, missing=NO_MODES)
    if isinstance(series, Unchecked):
        return series
    wrong = steps_where(series, lambda v: v < MOST)
    ends = (*series.steps[1:], max(history.ended.step, series.steps[-1] + 1))
    lengths = [end - step for step, end in zip(series.steps, ends, strict=True)]
    in_evaluation = sum(
        length for length, v in zip(lengths, series.values, strict=True) if v < MOST
    )
    share = in_evaluation / sum(lengths)
    if len(wrong) < FEWEST_WRONG or share <= MOST or is_over(series, wrong):
        return None
    return Finding(
        rule="evaluation_mode_in_training",
        sentence=(
            f"{len(wrong)} of {len(series)} watched training steps ran in evaluation mode, without "
            "dropout and without new statistics of batch normalization."
        ),
        steps=(wrong[0], wrong[-1]),
        evidence=(Evidence("training steps in evaluation mode", share, MOST, percent=True),),
        strength=share / MOST,
    )


def training_mode_in_evaluation(history: History) -> Answer:
    """Find evaluations in training mode, of a module with dropout or batch normalization.

    A lone one counts where it has changed the statistics of batch normalization by rows that were
    not trained on: a trial of shapes, or noise that is asked for, does not.
    """
    is_certain = history.wiring is not None and history.wiring.normed_by_evaluated
    fewest = 1 if is_certain else FEWEST_EVALUATIONS
    series = signal_of_loop(history, EVALUATION_MODE, fewest, NO_EVALUATION)
    if isinstance(series, Unchecked):
        return series
    wrong = steps_where(series, lambda v: v < MOST)
    if len(wrong) <= MOST * len(series) or is_over(series, wrong):
        return None
    return Finding(
        rule="training_mode_in_evaluation",
        sentence=(
            f"{len(wrong)} of {len(series)} observed evaluations ran in training mode: dropout was "
            "active, or batch normalization used and changed its statistics."
        ),
        steps=(wrong[0], wrong[-1]),
        evidence=(
            Evidence("evaluations in training mode", len(wrong) / len(series), MOST, percent=True),
        ),
        strength=len(wrong) / len(series) / MOST,
    )


def running_statistics_misfit(history: History) -> Answer:
    """Find running statistics of batch normalization that are far from those of evaluation data, in
    a run whose evaluation does not show that it learns.

    Medians over the second half of the evaluations, of the layer that is worst.
    """
    wiring = observed(history, NORM_MEAN_OFFSET, NORM_VARIANCE_RATIO)
    if isinstance(wiring, Unchecked):
        return wiring
    means, variances = (
        {layer: _late_median(series) for layer, series in layer_series(history, signal).items()}
        for signal in (NORM_MEAN_OFFSET, NORM_VARIANCE_RATIO)
    )
    if not means and not variances:
        return Unchecked("no evaluation of a module with batch normalization was observed")
    if _evaluates_well(history) and not _falls_behind(history):
        return None
    off, ratio = max(means.values(), default=0.0), max(variances.values(), default=0.0)
    evidence = [
        Evidence("distance of running means, in standard deviations", off, MEAN_OFF),
        Evidence("logarithm of the ratio of variances", ratio, VARIANCE_OFF),
    ]
    crossed = [each for each in evidence if each.value > each.limit]
    if not crossed:
        return None
    worst = {max(by, key=lambda name: by[name]) for by in (means, variances) if by} - {""}
    return Finding(
        rule="running_statistics_misfit",
        sentence=(
            f"On evaluation data the running means of batch normalization are off by {off:.2f} "
            f"standard deviations, and the variances by a factor of {exp(min(ratio, 700.0)):.3g}."
        ),
        layers=tuple(layer.name for layer in history.layers if layer.name in worst),
        steps=(0, history.ended.step),
        evidence=tuple(crossed),
        strength=max(each.value / each.limit for each in crossed),
    )


def _falls_behind(history: History) -> bool:
    """Whether the network is worse on evaluation rows than a simple model of the training rows,
    though it answers batches of these better than that: what it learned is lost on the way."""
    data, valid = history.data, history.of(VALID_ACCURACY)
    right = history.of(ACCURACY)
    if data is None or data.best_evaluation_score is None or valid is None or right is None:
        return False
    reached, trained = level_at_end(valid), level_at_end(right)
    if reached is None or trained is None or trained - reached < BEHIND:
        return False
    return data.best_evaluation_score - reached > max(BEHIND, 2 * score_error(history))


def _late_median(series: Series) -> float:
    """Median of the sizes in the second half: early statistics are still those of the start."""
    return median(abs(value) for value in series.values[len(series) // 2 :])


def _evaluates_well(history: History) -> bool:
    """Whether the second half of the evaluations shows that the network has learned. A single good
    one may be chance: statistics of the last batch are right at times."""
    valid = history.of(VALID_LOSS)
    late = () if valid is None else valid.values[len(valid) // 2 :]
    share = loss_share(history, median(late)) if late else None
    if share is None:
        return matched_by_simple_models(history)
    return share < LEARNED


def evaluation_prepared_otherwise(history: History) -> Answer:
    """Find evaluation inputs whose mean or standard deviation is far from that of the training
    inputs, in a run whose evaluation does not show that it learns.

    Over all features, and the median over the evaluations. Both are inputs of the whole module,
    so that a module may scale them itself.
    """
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    own = _scaled_by_itself(history)
    if own is not None:
        return None if _evaluates_well(history) else own
    # Of many rows a single one is no trial of shapes.
    rows_known = history.data is not None and history.data.beyond_training is not None
    fewest = 1 if rows_known else FEWEST_EVALUATIONS
    numbers, evaluations = [], FEWEST_EVALUATIONS
    for signal in (
        TRAINING_INPUT_MEAN,
        TRAINING_INPUT_STD,
        EVALUATION_INPUT_MEAN,
        EVALUATION_INPUT_STD,
        EVALUATION_INPUT_OFFSET,
        EVALUATION_INPUT_RATIO,
    ):
        series = signal_of_loop(history, signal, fewest, NO_EVALUATION)
        if isinstance(series, Unchecked):
            return series
        numbers.append(median(series.values))
        evaluations = min(evaluations, len(series))
    mean, std, later_mean, later_std, offset, ratio = numbers
    if _evaluates_well(history):
        return None
    shift = min(offset, LARGEST)
    stretch = min(max(ratio, 1 / max(ratio, 1 / LARGEST)), LARGEST)
    is_proved = _scale_does_harm(history)
    if is_proved is False:
        return None
    farthest, widest = (SHOWN_SHIFT, SHOWN_STRETCH) if is_proved else (SHIFT, STRETCH)
    evidence = [Evidence("ratio of the standard deviations", stretch, widest)]
    # A single part of the data, such as another season, may have another mean by itself.
    if is_proved or evaluations >= FEWEST_EVALUATIONS:
        what = "distance of the means, in training standard deviations"
        evidence.insert(0, Evidence(what, shift, farthest))
    crossed = [each for each in evidence if each.value > each.limit]
    if not crossed:
        return _other_inputs(history)
    if _is_usual(history, later_mean, later_std):
        return None
    if _is_next_part(history, mean, std, later_mean, later_std):
        return None
    return Finding(
        rule="evaluation_prepared_otherwise",
        sentence=(
            f"Inputs have mean {mean:,.3g} and standard deviation {std:,.3g} in training, "
            f"{later_mean:,.3g} and {later_std:,.3g} in evaluation. Apply the same preparation to "
            "both, with the numbers of the training part: `(x - train_mean) / train_std`."
        ),
        steps=(0, history.ended.step),
        evidence=tuple(crossed),
        strength=max(each.value / each.limit for each in crossed),
        grade="cause" if is_proved else "suspect",
        change=(
            "mean, std = x_train.mean(0), x_train.std(0)\n"
            "x_train, x_valid = (x_train - mean) / std, (x_valid - mean) / std"
        ),
    )


def _is_usual(history: History, mean: float, std: float) -> bool:
    """Whether most batches of training have the scale of the evaluated ones: then a few rows or
    batches of another size make the difference, and the preparation is the same."""
    means, spreads = history.of(INPUT_MEAN), history.of(INPUT_STD)
    if means is None or spreads is None or not means.finite or not spreads.finite:
        return False
    usual, spread = median(means.finite), median(spreads.finite)
    if not spread > 0 or not std > 0:
        return False
    alike = max(spread / std, std / spread) <= SHOWN_STRETCH
    return alike and abs(usual - mean) <= SHOWN_SHIFT * spread


def _other_inputs(history: History) -> Finding | None:
    """Evaluated inputs of the same scale that simple models tell from those of training without
    fail, though either part alone can be predicted: their axes, their order or their colours are
    others. What the one part teaches says nothing of the other."""
    data = history.data
    if data is None or data.inputs_apart is None or data.inputs_apart < TOLD_APART:
        return None
    if data.best_evaluation_score is None:
        return None
    chance = data.inside_evaluation_chance
    inside = min(
        skill(data.inside_training_score, data.inside_training_chance),
        skill(data.inside_evaluation_score, chance),
    )
    across = skill(data.best_evaluation_score, data.evaluation_chance_score)
    own = skill(valid_score(history), chance)
    if inside < PREDICTABLE or max(across, own) >= HALF * inside:
        return None
    return Finding(
        rule="evaluation_prepared_otherwise",
        sentence=(
            "The inputs of evaluation are of the same scale as those of training, and others: "
            f"simple models of the training rows answer evaluation with a skill of {across:.2g}, "
            f"where models of either part answer held-out rows of it with {inside:.2g} or more. "
            "Compare one sample of each: the order of axes, channels, columns and places."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("how well inputs of both can be told apart", data.inputs_apart, TOLD_APART),
            Evidence("skill across the parts / inside of them", across / inside, HALF, False),
        ),
        strength=data.inputs_apart / TOLD_APART,
        change="x_valid = prepare(raw_valid)  # the function that made x_train, step by step",
    )


def _scaled_by_itself(history: History) -> Finding | None:
    """Evaluated rows whose scale was taken from themselves: of rows that were scaled by the numbers
    of others no feature has a mean of 0 or a range of 0 to 1 exactly."""
    kind = "" if history.wiring is None else history.wiring.scaled_by_itself
    if not kind:
        return None
    what, scaler = {
        "range": ("is from exactly 0 to exactly 1", "MinMaxScaler"),
        "moments": ("has mean 0 and standard deviation 1, exactly", "StandardScaler"),
    }[kind]
    return Finding(
        rule="evaluation_prepared_otherwise",
        sentence=(
            f"In the evaluated rows each feature {what}: they were scaled by numbers of their own, "
            "so the same input means something else than in training. Fit the scaler to the "
            "training part alone."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("parts that were scaled by themselves", 1.0, 0.0),),
        grade="cause",
        change=(
            f"scaler = {scaler}().fit(x_train)\n"
            "x_train, x_valid = scaler.transform(x_train), scaler.transform(x_valid)"
        ),
    )


def _is_next_part(
    history: History, mean: float, std: float, later_mean: float, later_std: float
) -> bool:
    """Whether the inputs are one number, such as a time, and those of evaluation begin where those
    of training end: the data were split in their order, and prepared alike. Even numbers reach from
    sqrt(3) standard deviations below their mean to as many above it."""
    widths = {len(moments) for moments in history.wiring.features} if history.wiring else set()
    if history.data is not None and history.data.features is not None:
        widths.add(history.data.features)
    if widths != {1}:
        return False
    reach = sqrt(3) * (std + later_std)
    return abs(abs(later_mean - mean) / reach - 1) < NEXT if reach > 0 else False


def _scale_does_harm(history: History) -> bool | None:
    """Whether simple models of the training rows answer evaluation rows far better once these have
    the means and standard deviations of training; None where that is not known.

    A period of a time series or another population differs in more than its scale.
    """
    data = history.data
    if data is None or data.evaluation_rescaled_score is None:
        return None
    chance = data.evaluation_chance_score
    before = skill(data.best_evaluation_score, chance)
    after = skill(data.evaluation_rescaled_score, chance)
    if max(before, after) < HELPED:
        return None  # these models cannot answer at all
    if after - before > HELPED:
        return True
    score = data.evaluation_accuracy if data.class_targets else data.evaluation_r2
    if score is not None and after - skill(score, chance) > HELPED:
        return None  # they bear the scale, and the network does not
    return False


# What evaluation alone shows.
_OF_EVALUATION = ("labels_suspect", "overfitting")
EVALUATION_MODE_IN_TRAINING = Rule(
    name="evaluation_mode_in_training",
    title="Training in evaluation mode",
    find=evaluation_mode_in_training,
    explanation=(
        "After `model.eval()` dropout is off, and batch normalization uses its running statistics "
        "and no longer updates them. Where `model.train()` is not called again, the rest of the "
        "training runs without both."
    ),
    healthy="Training mode in every training step; parts that are frozen on purpose excepted.",
    source="PyTorch documentation, Autograd mechanics, Evaluation mode",
    explains=("running_statistics_misfit", *CONSEQUENCES),
    own_loops=True,
    exact=True,
    change=(
        "for epoch in range(epochs):\n"
        "    model.train()  # before the batches of each epoch\n"
        "    ...\n"
        "    model.eval()  # before the evaluation"
    ),
)
TRAINING_MODE_IN_EVALUATION = Rule(
    name="training_mode_in_evaluation",
    title="Evaluation in training mode",
    find=training_mode_in_evaluation,
    explanation=(
        "In training mode dropout deletes units at random and batch normalization depends on the "
        "other samples of the batch, so scores are too low, differ from call to call, and the data "
        "of the evaluation enter the running statistics."
    ),
    healthy="`model.eval()` before each evaluation, `model.train()` after it.",
    source="PyTorch documentation, torch.nn.Module.eval",
    explains=("running_statistics_misfit", *_OF_EVALUATION),
    own_loops=True,
    exact=True,
    change=("model.eval()\nwith torch.no_grad():\n    ...  # the evaluation\nmodel.train()"),
)
RUNNING_STATISTICS_MISFIT = Rule(
    name="running_statistics_misfit",
    title="Batch normalization whose statistics do not fit",
    find=running_statistics_misfit,
    at_end=True,  # the weights move fast at first, and statistics follow them
    explanation=(
        "In evaluation batch normalization uses means and variances that it has averaged over "
        "training batches. Where they are those of the last batch alone, of too few batches or of "
        "other data, the network works in training mode and fails in evaluation mode."
    ),
    healthy="Means off by about 0.1 standard deviations, variances by a factor of about 1.2.",
    source="Ioffe, Szegedy 2015, arXiv 1502.03167; PyTorch documentation, torch.nn.BatchNorm2d",
    explains=_OF_EVALUATION,
    own_loops=True,
    change=(
        "# momentum is the share of the newest batch: 0.1 is what other libraries call 0.9\n"
        "nn.BatchNorm2d(channels, momentum=0.1)  # and batches of at least 16 samples, shuffled"
    ),
)
EVALUATION_PREPARED_OTHERWISE = Rule(
    name="evaluation_prepared_otherwise",
    title="Evaluation inputs prepared otherwise",
    find=evaluation_prepared_otherwise,
    explanation=(
        "A network knows inputs of the scale that it was trained on. Inputs that are scaled by "
        "other numbers, or not at all, give predictions without meaning, however well it has "
        "learned."
    ),
    healthy="Means within one standard deviation of each other, and similar standard deviations.",
    source="LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.3",
    explains=("running_statistics_misfit", *_OF_EVALUATION),
    remedies=("standardise_inputs",),
    own_loops=True,
    change=(
        "mean, std = train_x.mean(0), train_x.std(0)\n"
        "train_x, valid_x = (train_x - mean) / std, (valid_x - mean) / std"
    ),
)
