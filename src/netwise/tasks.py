"""Names of what networks are trained for, and of the losses and activations that rules check.

They are plain text in a `History`, so rules read them without importing networks or losses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Tasks: `RunFacts.task`, the task of samples, and the tasks that a rule applies to.
CLASSIFICATION = "classification"
REGRESSION = "regression"
RECONSTRUCTION = "reconstruction"  # the targets are the inputs themselves
MEMORY = "memory"  # stored patterns are recalled from noisy ones
DENSITY = "density"  # the probability of an input is modelled: there are no targets


@dataclass(frozen=True)
class Task:
    """What follows from a task, so that nobody else compares names of tasks.

    Args:
        name: as in `RunFacts.task`.
        has_classes: targets are class numbers, and answers are scored by accuracy.
        has_values: targets are numbers of the data's own, and answers are scored by R².
        inputs_are_targets: the network gives back its inputs.
        is_density: there are no targets; the network is scored by the likelihood of inputs.
        is_memory: there are no targets; the network is scored by the patterns it recalls.
        unit: of a difference between two runs' scores: "points" (per cent) or "nats".

    >>> task_named("classification").has_classes, task_named("density").unit
    (True, 'nats')
    """

    name: str
    has_classes: bool = False
    has_values: bool = False
    inputs_are_targets: bool = False
    is_density: bool = False
    is_memory: bool = False
    unit: str = "points"


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task(CLASSIFICATION, has_classes=True),
        Task(REGRESSION, has_values=True),
        Task(RECONSTRUCTION, inputs_are_targets=True),
        Task(DENSITY, is_density=True, unit="nats"),
        Task(MEMORY, is_memory=True),
    )
}
UNKNOWN = Task("")


def task_named(name: str | None) -> Task:
    """The task of this name; one of which nothing is known for None and for other names."""
    return TASKS.get(name or "", UNKNOWN)


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
