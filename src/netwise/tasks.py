"""Names of what networks are trained for, and of the losses and activations that rules ask about.

They are plain text in a `History`, so rules read them without importing networks or losses.
"""

from __future__ import annotations

# Tasks: `RunFacts.task`, the task of samples, and the tasks that a rule applies to.
CLASSIFICATION = "classification"
REGRESSION = "regression"
RECONSTRUCTION = "reconstruction"  # the targets are the inputs themselves
MEMORY = "memory"  # stored patterns are recalled from noisy ones
DENSITY = "density"  # the probability of an input is modelled: there are no targets

# Kinds of losses: `RunFacts.loss_kind`, recognised by the gradient at the network's outputs.
OF_LOGITS = "cross-entropy of logits"
OF_SIGMOID_LOGITS = "cross-entropy of sigmoid logits"
OF_PROBABILITIES = "log of probabilities"
SQUARED = "squared error"

# Activations: values of `Layer.activation`.
# Those whose outputs have limits at both ends, with (lowest, highest) output.
BOUNDED: dict[str, tuple[float, float]] = {
    "Sigmoid": (0.0, 1.0),
    "Tanh": (-1.0, 1.0),
    "Hardsigmoid": (0.0, 1.0),
    "Hardtanh": (-1.0, 1.0),
    "Softsign": (-1.0, 1.0),
}
RECTIFIERS = ("ReLU", "ReLU6")  # those whose output is exactly 0 for every input below 0
