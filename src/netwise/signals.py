"""Signals: the names of all numbers that are recorded over the steps of a run.

Rules, reports and pictures import the names from here. Signals of the whole network are recorded at
watched steps or at the ends of epochs, those of one layer at watched steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Signal:
    """One quantity that is recorded over steps.

    Args:
        name: as in a history.
        meaning: what it is, for people.
        unit: such as "nats"; "" where it has none.
        lowest, highest: its limits as text, such as "0"; "" where it has none.
        good: "low" or "high", whichever is better; "" where neither is.
    """

    name: str
    meaning: str
    unit: str = ""
    lowest: str = ""
    highest: str = ""
    good: str = ""


SIGNALS: dict[str, Signal] = {}


def _signal(
    name: str, meaning: str, unit: str = "", lowest: str = "", highest: str = "", good: str = ""
) -> str:
    SIGNALS[name] = Signal(name, meaning, unit, lowest, highest, good)
    return name


# Of the whole network, at watched steps.
LOSS = _signal("loss", "loss of one training batch, penalty included", good="low")
ACCURACY = _signal("accuracy", "accuracy on one training batch", "", "0", "1", "high")
TARGET_MEAN = _signal("target.mean", "mean of the targets of one batch, of numbers")
BATCH_CLASSES = _signal("batch.classes", "number of different classes in one batch", lowest="0")
STALE = _signal(
    "gradient.stale",
    "1 where a gradient still contains those of earlier batches, else 0",
    "",
    "0",
    "1",
    "low",
)
PENALTY = _signal("penalty", "penalty, as a part of the loss of one batch", lowest="0")
LOSS_OF_TARGETS = _signal(
    "loss.targets",
    "part of the loss of one batch that compares outputs with targets, where there are other parts",
)
LOSS_OF_OTHERS = _signal("loss.others", "the other parts of the loss of one batch")
LOSS_WITHOUT_GRADIENT = _signal(
    "loss.constant", "part of the loss of one batch that has no gradient"
)
BATCH_R2 = _signal("batch.r2", "R² on one training batch of numbers", "", good="high")

# Of the whole network, at the end of each epoch.
TRAIN_LOSS = _signal(
    "train.loss", "mean loss over the epoch's batches, without the penalty", good="low"
)
TRAIN_ACCURACY = _signal(
    "train.accuracy",
    "accuracy over the epoch's batches, each before its step",
    "",
    "0",
    "1",
    "high",
)
VALID_LOSS = _signal("valid.loss", "loss on the validation part", good="low")
VALID_ACCURACY = _signal("valid.accuracy", "accuracy on the validation part", "", "0", "1", "high")
VALID_R2 = _signal(
    "valid.r2",
    "R² on the validation part: share of the targets' variance that is predicted",
    "",
    "",
    "1",
    "high",
)
# Of the metric that a recipe names, or that suits its classes: the signal of each by its name.
VALID_METRICS: dict[str, str] = {
    name: _signal(f"valid.{name}", f"{meaning} on the validation part", unit, "0", most, good)
    for name, meaning, unit, most, good in (
        ("balanced_accuracy", "mean of the classes' recalls", "", "1", "high"),
        ("macro_f1", "mean of the classes' F1", "", "1", "high"),
        ("auc", "AUC of each class against the rest, their mean,", "", "1", "high"),
        ("log_loss", "log loss of the probabilities", "nats", "", "low"),
        ("mae", "mean absolute error in the units of the target", "", "", "low"),
        ("rmse", "root mean squared error in the units of the target", "", "", "low"),
    )
}
RECONSTRUCTION = _signal(
    "reconstruction",
    "squared error of the reconstruction, summed over an input",
    lowest="0",
    good="low",
)
PSEUDO_LIKELIHOOD = _signal(
    "likelihood.pseudo",
    "pseudo-log-likelihood: ln p of each unit given all others, summed over an input",
    "nats",
    "",
    "0",
    "high",
)
BASE_RATE_LIKELIHOOD = _signal(
    "likelihood.base_rates",
    "log-likelihood of an input in the model of independent inputs",
    "nats",
    "",
    "0",
)
LOG_LIKELIHOOD = _signal(
    "likelihood.exact",
    "log-likelihood of an input, exact by a sum over all states",
    "nats",
    "",
    "0",
    "high",
)
FREE_ENERGY_GAP = _signal(
    "free_energy.gap", "mean free energy of validation inputs minus that of training inputs", "nats"
)
CHAIN_AUTOCORRELATION = _signal(
    "chains.autocorrelation",
    "autocorrelation of the Gibbs chains after ten steps",
    "",
    "-1",
    "1",
    "low",
)
HIDDEN_ACTIVE = _signal(
    "hidden.active", "mean activation of the hidden units over the data", lowest="0"
)
HIDDEN_CONSTANT = _signal(
    "hidden.constant",
    "share of the hidden units that are almost equal for all samples",
    "",
    "0",
    "1",
    "low",
)
FOREIGN_R2 = _signal(
    "foreign.r2",
    "R² of the reconstruction of inputs whose values are permuted among the samples",
    "",
    "",
    "1",
    "low",
)
MASKED_R2 = _signal(
    "masked.r2",
    "R² of the reconstruction of validation inputs with a quarter set to 0",
    "",
    "",
    "1",
    "high",
)
OWN_R2 = _signal("own.r2", "R² of the reconstruction of validation inputs", "", "", "1", "high")
CODE_DEAD = _signal(
    "code.dead",
    "share of the code's units that are almost equal for all samples",
    "",
    "0",
    "1",
    "low",
)
CODE_MEAN = _signal("code.mean", "mean of the code over the data")
CODE_WIDTH = _signal("code.width", "units of the code per number of the input", lowest="0")
LATENT_KL = _signal(
    "latent.kl",
    "information about an input in a variational code: its KL divergence from N(0, 1)",
    "nats",
    "0",
)
LATENT_UNUSED = _signal(
    "latent.unused",
    "share of a variational code's units with a KL divergence below 0.01 nats",
    "",
    "0",
    "1",
    "low",
)
MEMORY_LOAD = _signal("memory.load", "stored patterns per unit", lowest="0", good="low")
MEMORY_UNSTABLE = _signal(
    "memory.unstable", "share of the stored patterns that are not fixed points", "", "0", "1", "low"
)
MEMORY_CROSSTALK = _signal(
    "memory.crosstalk",
    "largest crosstalk of a stored bit by Hebb's rule; above 1 the bit flips",
    good="low",
)
MEMORY_NOISE = _signal(
    "memory.noise", "share of the units that were flipped before recall", "", "0", "1"
)
MEMORY_RECOVERED = _signal(
    "memory.recovered", "share of the patterns that were recalled exactly", "", "0", "1", "high"
)
MEMORY_OVERLAP = _signal(
    "memory.overlap",
    "mean overlap of the recalled patterns with the stored ones",
    "",
    "-1",
    "1",
    "high",
)
STAGE = _signal("stage", "which layer of a stack is trained, from 1", lowest="1")
RATE = _signal("rate", "learning rate", lowest="0")

# Before the first step, of a run that starts from the weights of another one.
COPIED_VARIATION = _signal(
    "start.copied",
    "deviation of the outputs over the samples of a batch, with the copied weights",
    lowest="0",
)
DRAWN_VARIATION = _signal(
    "start.drawn",
    "deviation of the outputs over the samples of a batch, with weights drawn instead of copied",
    lowest="0",
)

# Of an observed program, at watched steps (see `netwise.observe`).
BACKWARD_PASSES = _signal(
    "backward.passes", "backward passes whose gradients went into one step", lowest="0"
)
BACKWARD_DROPPED = _signal(
    "backward.dropped",
    "earlier backward passes of the same loss whose gradients were set to zero before the step",
    lowest="0",
    good="low",
)
GRADIENT_CLEARED = _signal(
    "gradient.cleared",
    "1 where gradients were set to zero between `backward` and the step, else 0",
    "",
    "0",
    "1",
    "low",
)
GRADIENT_FACTOR = _signal(
    "gradient.factor",
    "norm of the gradient at the step over its norm after the last backward pass",
    lowest="0",
)
GRADIENT_ZERO = _signal(
    "gradient.zero",
    "1 where a backward pass gave exactly 0 to all weights, else 0",
    "",
    "0",
    "1",
    "low",
)
LOSS_FACTOR = _signal("loss.factor", "constant that the loss is multiplied by before `backward`")
LOSS_SCALE = _signal("loss.scale", "factor of the gradient scaler", lowest="0")
WEIGHTS_MOVED = _signal(
    "weights.moved", "share of the weight tensors that a step changed", "", "0", "1"
)
TARGETS_IGNORED = _signal(
    "targets.ignored", "share of a batch's targets that the loss ignores", "", "0", "1"
)
TARGETS_ALIKE = _signal(
    "targets.alike", "1 where all targets of a batch are the same, else 0", "", "0", "1"
)
TRAINING_MODE = _signal(
    "mode.training", "1 where the module was in training mode in a training step, else 0", "", "0"
)
EVALUATION_MODE = _signal(
    "mode.evaluation",
    "1 where the module was in evaluation mode in a pass without gradients, else 0",
    "",
    "0",
    "1",
)
EVALUATION_INPUT_MEAN = _signal(
    "evaluation.input.mean", "mean of the inputs of passes without gradients"
)
EVALUATION_INPUT_STD = _signal(
    "evaluation.input.std", "standard deviation of the inputs of passes without gradients", "", "0"
)
TRAINING_INPUT_MEAN = _signal(
    "training.input.mean", "mean of the inputs of the module in training passes so far"
)
TRAINING_INPUT_STD = _signal(
    "training.input.std",
    "standard deviation of the inputs of the module in training passes so far",
    "",
    "0",
)
EVALUATION_INPUT_OFFSET = _signal(
    "evaluation.input.offset",
    "distance of the means of evaluation inputs from those of training inputs, over all features, "
    "in units of the root of the total variance of training inputs",
    "",
    "0",
    "",
    "low",
)
EVALUATION_INPUT_RATIO = _signal(
    "evaluation.input.ratio",
    "root of the total variance of evaluation inputs over that of training inputs",
    "",
    "0",
)
NORM_MEAN_OFFSET = _signal(
    "evaluation.norm.mean",
    "distance of batch norm's running means from the means of evaluation data, in standard "
    "deviations",
    "",
    "0",
    "",
    "low",
)
NORM_VARIANCE_RATIO = _signal(
    "evaluation.norm.variance",
    "logarithm of batch norm's running variances over the variances of evaluation data",
    "",
    "0",
    "",
    "low",
)
GROUP_RATE = _signal("rate.group", "learning rate of one parameter group", lowest="0")

# Of one layer, at watched steps. The activations of a layer are the inputs of the next layer with
# weights.
ACTIVATION_MEAN = _signal("activation.mean", "mean of a layer's activations over one batch")
ACTIVATION_STD = _signal(
    "activation.std", "standard deviation of a layer's activations over one batch", lowest="0"
)
ACTIVATION_ZEROS = _signal(
    "activation.zeros", "share of a layer's activations that are exactly 0", "", "0", "1"
)
ACTIVATION_SATURATED = _signal(
    "activation.saturated",
    "share of a bounded layer's activations within 2.5 % of a limit",
    "",
    "0",
    "1",
    "low",
)
DEAD_UNITS = _signal(
    "units.dead",
    "share of a layer's units that are 0 for at least 512 samples in a row",
    "",
    "0",
    "1",
    "low",
)
OUTPUT_SPREAD = _signal(
    "activation.spread",
    "standard deviation of a layer's activations over the samples of a batch, over their root mean "
    "square",
    "",
    "0",
    "1",
)
UNITS_EQUAL = _signal(
    "units.equal",
    "1 where all units of a layer that started equal still have equal weights, else 0",
    "",
    "0",
    "1",
    "low",
)
INPUT_MEAN = _signal("input.mean", "mean of the inputs of a batch")
INPUT_STD = _signal("input.std", "standard deviation of the inputs of a batch", lowest="0")
GRADIENT_RMS = _signal(
    "gradient.rms", "root mean square of the gradient of a layer's weights", lowest="0"
)
GRADIENT_RATIO = _signal(
    "gradient.ratio", "norm of the gradient over the norm of the weights", lowest="0"
)
UPDATE_RATIO = _signal(
    "update.ratio",
    "norm of the change of the weights in one step over the norm of the weights",
    lowest="0",
)
WEIGHT_NORM = _signal("weight.norm", "norm of a layer's weights", lowest="0")
# Of samples of at most 1024 numbers of each matrix.
WEIGHT_DISTANCE = _signal(
    "weight.distance",
    "distance of the weights from those of the first watched step, over the larger norm of both",
    lowest="0",
)
UPDATE_COSINE = _signal(
    "update.cosine",
    "cosine between the change of the weights and that of the watched step before",
    "",
    "-1",
    "1",
)
GRADIENT_COSINE = _signal(
    "gradient.cosine",
    "cosine between the gradient and that of the watched step before",
    "",
    "-1",
    "1",
)
STEP_DESCENT = _signal(
    "update.descent",
    "cosine between the change of the weights and the negative of the step's gradient; below 0 the "
    "step goes uphill",
    "",
    "-1",
    "1",
)

WEIGHT_SMALL = _signal(
    "weight.small",
    "share of the weights below 1 % of their root mean square; 0.008 of normal weights, more of "
    "sparse ones",
    "",
    "0",
    "1",
)
GRADIENT_SIGN = _signal(
    "gradient.sign",
    "agreement of the signs of a unit's gradient, mean over the units: 1 where all weights of each "
    "unit go the same way, as inputs of one sign force on them",
    "",
    "0",
    "1",
    "low",
)
EFFECTIVE_RATE = _signal(
    "rate.effective",
    "change of a weight over its gradient, median over the weights: the learning rate that it gets",
    lowest="0",
)
EFFECTIVE_RATE_LOW = _signal(
    "rate.effective.low",
    "change of a weight over its gradient, lowest tenth of the weights",
    lowest="0",
)
EFFECTIVE_RATE_HIGH = _signal(
    "rate.effective.high",
    "change of a weight over its gradient, highest tenth of the weights",
    lowest="0",
)

NETWORK = ""  # the layer name of signals that belong to the whole network


def metric_signal(metric: str) -> str:
    """The signal of the metric of this name on the validation part."""
    return VALID_METRICS.get(metric, f"valid.{metric}")


def valid_value(row: Mapping[str, Any]) -> float | None:
    """How good the row of an epoch is on the validation part, the higher the better: by the metric
    of the recipe, else accuracy or R²; None where it has none of them."""
    names = (*VALID_METRICS.values(), VALID_ACCURACY, VALID_R2)
    name = next((name for name in names if name in row), None)
    if name is None:
        return None
    return -float(row[name]) if SIGNALS[name].good == "low" else float(row[name])
