"""What the outputs of a network say about samples: classes with their probabilities, or numbers
with their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from netwise.data.dataset import Pairs
from netwise.parts.losses import Loss
from netwise.scoring.adaptive_intervals import interval_reach
from netwise.scoring.thresholds import Threshold, chosen_classes
from netwise.tasks import task_named
from netwise.training.evaluate import outputs_of
from netwise.training.input_pipeline import InputPipeline

KEPT_ERRORS = 10_000  # of the validation part: a quantile of more is hardly more precise

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to samples.

    Args:
        predictions: class names `(samples,)`, or numbers `(samples,)` or `(samples, targets)`.
        probabilities: of each class `(samples, classes)`; None for numbers.
        reach: half the width of each interval `(samples, targets)`; None where there is none.
    """

    predictions: Array
    probabilities: Array | None = None
    reach: Array | None = None


def class_answers(
    outputs: Tensor, pipeline: InputPipeline, loss: Loss, threshold: Threshold | None = None
) -> Answers:
    """The classes that outputs `(samples, outputs)` stand for: the likeliest ones, or those that
    `threshold` says."""
    names = np.array(pipeline.classes)
    probabilities = loss.probabilities(outputs)[:, : len(names)].numpy()
    if threshold is None:
        chosen = outputs[:, : len(names)].argmax(1).numpy()
    else:
        chosen = chosen_classes(probabilities, pipeline.classes, threshold)
    return Answers(names[chosen], probabilities)


def number_answers(outputs: Tensor, pipeline: InputPipeline, level: float | None = None) -> Answers:
    """The numbers that outputs `(samples, targets)` stand for, in the units of the targets.

    Args:
        outputs: of the network.
        pipeline: of the run.
        level: of the intervals; None: there are none.

    Raises:
        WrongValue, DataError: see `interval_reach`.
    """
    values = (outputs * pipeline.target_scale + pipeline.target_mean).numpy()
    numbers = values[:, 0] if values.shape[1] == 1 else values
    reach = None
    if level is not None:
        known = pipeline.errors.numpy(), pipeline.answers.numpy()
        reach = interval_reach(*known, values.astype(np.float64), level)
    return Answers(numbers, None, reach)


def validation_errors(
    module: nn.Module, valid: Pairs, pipeline: InputPipeline
) -> tuple[Tensor, Tensor]:
    """Absolute errors `(samples, targets)` on the validation part and the answers that they are of,
    in the units of the targets, as float64; of at most `KEPT_ERRORS` samples, evenly spaced. None
    are kept where targets are no numbers or an output is not finite."""
    nothing = torch.zeros(0, len(pipeline.target_mean), dtype=torch.float64)
    if not task_named(pipeline.task).has_values or not len(valid):
        return nothing, nothing
    step = math.ceil(len(valid) / KEPT_ERRORS)
    outputs = outputs_of(module, valid.x[::step]).cpu().double()
    scale = pipeline.target_scale.double()
    errors = (outputs - valid.y[::step].cpu().double()).abs() * scale
    if not bool(torch.isfinite(errors).all()):
        return nothing, nothing
    return errors, outputs * scale + pipeline.target_mean.double()
