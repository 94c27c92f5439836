"""Signals: what is heard of a run, by name. Rules and pictures import these names and never spell
them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Signal:
    """One quantity that is recorded over steps.

    Args:
        name: as it stands in a history.
        meaning: what it is, in words.
        unit: its unit, or "".
        lowest, highest: the ends of its range as text; "" where it has none.
        good: "low", "high" or "" where neither is better.
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


# of the whole network, on watched steps
LOSS = _signal("loss", "loss of one training batch, with its penalty", good="low")
ACCURACY = _signal("accuracy", "share of one training batch that is right", "", "0", "1", "high")
BATCH_CLASSES = _signal("batch.classes", "how many different classes a batch holds", lowest="0")
STALE = _signal(
    "gradient.stale",
    "1 where a gradient holds what earlier batches left in it, else 0",
    "",
    "0",
    "1",
    "low",
)
PENALTY = _signal("penalty", "the penalty's part of the loss", lowest="0")

# of the whole network, at the end of each epoch
TRAIN_LOSS = _signal(
    "train.loss", "mean loss over the epoch's batches, without its penalty", good="low"
)
TRAIN_ACCURACY = _signal(
    "train.accuracy", "share right over the epoch's batches, as it learned", "", "0", "1", "high"
)
VALID_LOSS = _signal("valid.loss", "loss on the validation part", good="low")
VALID_ACCURACY = _signal(
    "valid.accuracy", "share of the validation part that is right", "", "0", "1", "high"
)
VALID_R2 = _signal(
    "valid.r2", "share of the validation targets' variance that is explained", "", "", "1", "high"
)
RECONSTRUCTION = _signal(
    "reconstruction",
    "squared error of inputs given back, sum over an input",
    lowest="0",
    good="low",
)
PSEUDO_LIKELIHOOD = _signal(
    "likelihood.pseudo",
    "ln p of each input given all others, summed over an input",
    "nats",
    "",
    "0",
    "high",
)
BASE_RATE_LIKELIHOOD = _signal(
    "likelihood.base_rates",
    "ln p of the model in which all inputs are independent",
    "nats",
    "",
    "0",
)
LOG_LIKELIHOOD = _signal(
    "likelihood.exact", "ln p of an input, by summing over all states", "nats", "", "0", "high"
)
FREE_ENERGY_GAP = _signal(
    "free_energy.gap", "mean free energy of validation inputs above that of training inputs", "nats"
)
CHAIN_AUTOCORRELATION = _signal(
    "chains.autocorrelation",
    "how the chains resemble themselves ten Gibbs steps later",
    "",
    "-1",
    "1",
    "low",
)
HIDDEN_ACTIVE = _signal("hidden.active", "mean of the hidden units over data", lowest="0")
HIDDEN_CONSTANT = _signal(
    "hidden.constant",
    "share of the hidden units that hardly differ between samples",
    "",
    "0",
    "1",
    "low",
)
FOREIGN_R2 = _signal(
    "foreign.r2",
    "share of variance given back of inputs whose values were dealt out anew among the samples",
    "",
    "",
    "1",
    "low",
)
MASKED_R2 = _signal(
    "masked.r2",
    "share of variance given back of validation inputs of which a quarter was set to 0",
    "",
    "",
    "1",
    "high",
)
OWN_R2 = _signal("own.r2", "share of variance given back of validation inputs", "", "", "1", "high")
CODE_DEAD = _signal(
    "code.dead", "share of the code's units that hardly differ between samples", "", "0", "1", "low"
)
CODE_MEAN = _signal("code.mean", "mean of the code over data")
CODE_WIDTH = _signal("code.width", "numbers in the code for each number in an input", lowest="0")
LATENT_KL = _signal("latent.kl", "what a variational code tells of an input", "nats", "0")
LATENT_UNUSED = _signal(
    "latent.unused",
    "share of a variational code's units that tell less than 0.01 nats",
    "",
    "0",
    "1",
    "low",
)
MEMORY_LOAD = _signal("memory.load", "stored patterns for each unit", lowest="0", good="low")
MEMORY_UNSTABLE = _signal(
    "memory.unstable", "share of the stored patterns that are not fixed points", "", "0", "1", "low"
)
MEMORY_CROSSTALK = _signal(
    "memory.crosstalk",
    "largest crosstalk of a stored bit by Hebb's rule; above 1 it turns",
    good="low",
)
MEMORY_NOISE = _signal(
    "memory.noise", "share of the units that were turned before recall", "", "0", "1"
)
MEMORY_RECOVERED = _signal(
    "memory.recovered", "share of the patterns that were found again exactly", "", "0", "1", "high"
)
MEMORY_OVERLAP = _signal(
    "memory.overlap", "mean agreement of what was recalled with the pattern", "", "-1", "1", "high"
)
STAGE = _signal("stage", "which layer of a stack is learning, from 1", lowest="1")
RATE = _signal("rate", "learning rate", lowest="0")

# of one layer, on watched steps. A layer's activation is what the next layer with weights takes in.
ACTIVATION_MEAN = _signal("activation.mean", "mean of a layer's activations over one batch")
ACTIVATION_STD = _signal(
    "activation.std", "spread of a layer's activations over one batch", lowest="0"
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
    "share of a layer's units that were 0 for at least 512 samples in a row",
    "",
    "0",
    "1",
    "low",
)
INPUT_MEAN = _signal("input.mean", "mean of the inputs of a batch")
INPUT_STD = _signal("input.std", "spread of the inputs of a batch", lowest="0")
GRADIENT_RMS = _signal(
    "gradient.rms", "root mean square of the gradient of a layer's weights", lowest="0"
)
GRADIENT_RATIO = _signal(
    "gradient.ratio", "norm of the weights' gradient over the norm of the weights", lowest="0"
)
UPDATE_RATIO = _signal(
    "update.ratio", "norm of a step's change of the weights over their norm", lowest="0"
)
WEIGHT_NORM = _signal("weight.norm", "norm of a layer's weights", lowest="0")

NETWORK = ""  # the layer name of signals that belong to the whole network


def valid_value(row: Mapping[str, Any]) -> float | None:
    """How good the validation part was found in an epoch: accuracy, or R²; None where neither was
    heard."""
    return next((float(row[name]) for name in (VALID_ACCURACY, VALID_R2) if name in row), None)
