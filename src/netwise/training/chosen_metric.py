"""The metric that a run is judged by: the one that its recipe names, or the one that suits its
classes; and its value on a part of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from netwise.data.dataset import Pairs, Samples
from netwise.parts.losses import Loss
from netwise.recipe.recipe import Recipe
from netwise.scoring.answers import AnsweredClasses, AnsweredNumbers, Answers
from netwise.scoring.metrics import Metric, is_uneven, metric_named
from netwise.signals import VALID_METRICS
from netwise.tasks import task_named

FOR_UNEVEN_CLASSES = "balanced_accuracy"


def chosen_metric(recipe: Recipe, samples: Samples) -> Metric | None:
    """The metric of `recipe.metric`; without one balanced accuracy where the largest class has more
    than 5 times the training samples of the smallest, else None: accuracy or R².

    Args:
        recipe: may name a metric.
        samples: its data.
    """
    if recipe.metric is not None:
        return metric_named(recipe.metric)
    y = samples.train.y
    if not task_named(samples.task).has_classes or y.dim() > 1:
        return None  # of an alphabet most symbols are rare
    counts = torch.bincount(y, minlength=len(samples.classes)).numpy()
    return metric_named(FOR_UNEVEN_CLASSES) if is_uneven(counts) else None


@dataclass(frozen=True, eq=False)
class MetricOfOutputs:
    """Computes a metric of a network's outputs.

    Args:
        metric: which.
        loss: of the recipe; turns outputs into probabilities.
        samples: name the classes and the units of the targets.
    """

    metric: Metric
    loss: Loss
    samples: Samples

    def __call__(self, output: Tensor, y: Tensor, weight: Tensor | None = None) -> dict[str, float]:
        """The value by the name of its signal; nan where it cannot be computed, {} for a metric
        whose signal each run has."""
        name = VALID_METRICS.get(self.metric.name)
        if name is None:
            return {}
        answers = answers_of_outputs(output, y, self.loss, self.samples, weight)
        known = answers is not None and self.metric.can_measure(answers)
        return {name: self.metric.value(answers) if known else math.nan}

    @property
    def of_guessing(self) -> float | None:
        """The value on the validation part of always answering the shares of the classes in the
        training part, or the mean of the targets; None without a validation part."""
        train, valid = self.samples.train.y, self.samples.valid.y
        if not len(valid):
            return None
        answers: Answers
        if self.metric.has_classes:
            classes = len(self.samples.classes)
            share = torch.bincount(train.flatten(), minlength=classes).double().numpy()
            rows = np.tile(share / share.sum(), (valid.numel(), 1))
            weights = weights_of(self.samples.valid)
            answers = AnsweredClasses.of_probabilities(valid.flatten().numpy(), rows, weights)
        else:
            mean = train.double().mean(0).expand(valid.shape)
            answers = _in_units(mean, valid, self.samples, self.samples.valid.weight)
        if not self.metric.can_measure(answers):
            return None
        value = self.metric.value(answers)
        return value if math.isfinite(value) else None


def answers_of_outputs(
    output: Tensor, y: Tensor, loss: Loss, samples: Samples, weight: Tensor | None = None
) -> Answers | None:
    """What a network answers, by its outputs; None where they are not finite.

    Args:
        output: `(samples, outputs)`, or `(samples, outputs, steps)` with a target for each step.
        y: the targets as the network learns them.
        loss: turns outputs into probabilities.
        samples: name the classes and the units of the targets.
        weight: of each sample `(samples,)`; None: all are equal.
    """
    if not bool(torch.isfinite(output).all()):
        return None
    if not task_named(samples.task).has_classes:
        return _in_units(output, y, samples, weight)
    weights = weights_of(Pairs(output, y, weight))
    if output.dim() == 3:
        output, y = output.transpose(1, 2).flatten(0, 1), y.flatten()
    output, classes = output.cpu(), len(samples.classes)
    ranking = output[:, :classes]
    answer = ranking.argmax(1).numpy()
    probability = None
    if loss.takes == "logits":
        shares = loss.probabilities(output.double())[:, :classes].numpy()
        probability = shares / np.maximum(shares.sum(1, keepdims=True), np.finfo(float).tiny)
    ranks = _numbers(ranking) if probability is None else probability
    return AnsweredClasses(y.cpu().numpy(), answer, ranks, probability, weights)


def weights_of(part: Pairs) -> np.ndarray | None:
    """The weight of each answer to a part, float64: one for each target of a sample; None: all are
    equal."""
    if part.weight is None or not float(part.weight.sum()):
        return None  # weights of 0 alone have no mean
    each = part.weight.cpu().double().numpy()
    return each if part.y.dim() == 1 else np.repeat(each, part.y[0].numel())


def _in_units(
    output: Tensor, y: Tensor, samples: Samples, weight: Tensor | None
) -> AnsweredNumbers:
    """Answers in the units of the data set's own targets."""
    mean, scale = samples.target_mean.double(), samples.target_scale.double()
    truth, answer = (values.cpu().double() * scale + mean for values in (y, output))
    weights = weights_of(Pairs(output, y[:, 0], weight))
    return AnsweredNumbers(_numbers(truth), _numbers(answer), weights)


def _numbers(values: Tensor) -> np.ndarray:
    array: np.ndarray = values.reshape(len(values), -1).double().numpy()
    return array
