"""`goal`: how good a run is on the validation part, as one number; higher is better."""

from __future__ import annotations

import math

from netwise.history import DIVERGED, History
from netwise.recipe.recipe import Recipe
from netwise.scoring.metrics import Metric, metric_named
from netwise.scoring.score import value_text
from netwise.signals import (
    BASE_RATE_LIKELIHOOD,
    LOG_LIKELIHOOD,
    MASKED_R2,
    MEMORY_NOISE,
    MEMORY_RECOVERED,
    PSEUDO_LIKELIHOOD,
    TRAIN_ACCURACY,
    VALID_ACCURACY,
    VALID_LOSS,
    VALID_R2,
    metric_signal,
)
from netwise.tasks import task_named
from netwise.training.run import Run

LESS_LOG_LOSS = "nats less log loss"
LEAST_NOISE = 0.1  # share of flipped units from which recall of a memory is measured


def goal(run: Run) -> float:
    """How good a run is on the validation part, with the weights that it ended with.

    - classification: accuracy, from 0 to 1; balanced accuracy where the largest class has more
      than 5 times the samples of the smallest
    - regression: R²
    - where the recipe names a metric, that one; of a loss or an error the negative
    - autoencoders: R² of validation inputs of which a quarter was masked, so that copying the
      input is not enough
    - energy models: log-likelihood of an input in nats, exact where it is known, else the
      pseudo-likelihood
    - memories: share of patterns that are recalled exactly with at least a tenth of their units
      flipped

    A run that diverged has the value of guessing: one over the number of classes, an R² of 0, or
    the likelihood under independent inputs.

    Example:
        >>> import netwise as nw
        >>> from netwise.treatment.goals import goal
        >>> goal(nw.fit(nw.suggest(nw.data.iris(), epochs=40))) > 0.8
        True
    """
    return goal_of(run.history, run.recipe)


def goal_of(history: History, recipe: Recipe) -> float:
    """`goal` of the run with this history and recipe."""
    facts = history.facts
    task = task_named(facts.task)
    if task.is_density:
        return _log_likelihood(history)
    if task.is_memory:
        return _recovered(history)
    if facts.metric is not None:
        return _of_metric(history, recipe, metric_named(facts.metric))
    if history.ended.how == DIVERGED:
        return 1 / (facts.classes or 2) if task.has_classes else 0.0
    if task.inputs_are_targets:
        masked = history.of(MASKED_R2)
        if masked is not None and math.isfinite(masked.last):
            return masked.last
    series = history.of(VALID_ACCURACY) or history.of(VALID_R2) or history.of(TRAIN_ACCURACY)
    if series is None:
        return 0.0
    value = series.last
    if recipe.stopping.keeps_best:
        losses = history.of(VALID_LOSS)
        if losses is not None and losses.finite:
            value = series.values[losses.values.index(min(losses.finite))]
    return value if math.isfinite(value) else 0.0


def _of_metric(history: History, recipe: Recipe, metric: Metric) -> float:
    """The metric with the weights that the run ended with, the higher the better; that of guessing
    where it is not known."""
    guessing = metric.goal(history.facts.metric_of_guessing or 0.0)
    series, losses = history.of(metric_signal(metric.name)), history.of(VALID_LOSS)
    if history.ended.how == DIVERGED or series is None:
        return guessing
    goals = [metric.goal(value) for value in series.values]
    last = goals[-1]
    if recipe.stopping.keeps_best and recipe.metric is not None:
        last = max((goal for goal in goals if math.isfinite(goal)), default=guessing)
    elif recipe.stopping.keeps_best and losses is not None and losses.finite:
        last = goals[losses.values.index(min(losses.finite))]
    return last if math.isfinite(last) else guessing


def goal_text(history: History, value: float) -> str:
    """A value of `goal` for people, with its unit.

    Args:
        history: of a run that has it.
        value: one, or the mean of several.
    """
    facts = history.facts
    if task_named(facts.task).is_density:
        return f"{value:.1f} nats"
    if facts.metric is not None:
        metric = metric_named(facts.metric)
        return f"{metric.title} {value_text(metric.name, metric.goal(value))}"
    return f"{100 * value:.1f} %"


def gain_unit(history: History) -> str:
    """The unit of a difference between two goals."""
    name = history.facts.metric
    if name == "log_loss":
        return LESS_LOG_LOSS
    if name in ("mae", "rmse"):
        return f"less {metric_named(name).title}"
    return task_named(history.facts.task).unit


def _recovered(history: History) -> float:
    """Largest share of patterns recalled exactly from noise of at least `LEAST_NOISE`."""
    noise, recovered = history.of(MEMORY_NOISE), history.of(MEMORY_RECOVERED)
    if noise is None or recovered is None:
        return 0.0
    pairs = zip(noise.values, recovered.values, strict=True)
    return max((share for level, share in pairs if level >= LEAST_NOISE), default=0.0)


def _log_likelihood(history: History) -> float:
    """The last log-likelihood in nats; that of independent inputs where the run diverged."""
    base = history.of(BASE_RATE_LIKELIHOOD)
    least = base.finite[-1] if base is not None and base.finite else 0.0
    series = history.of(LOG_LIKELIHOOD) or history.of(PSEUDO_LIKELIHOOD)
    if series is None:
        loss = history.of(VALID_LOSS)
        return -loss.last if loss is not None and math.isfinite(loss.last) else least
    return series.last if math.isfinite(series.last) and history.ended.how != DIVERGED else least


def final_valid_loss(run: Run) -> float:
    """The validation loss with the weights that a run ended with; the loss of guessing where it
    diverged."""
    series = run.history.of(VALID_LOSS)
    if run.history.ended.how == DIVERGED or series is None or not series.finite:
        return run.history.facts.loss_of_guessing or 0.0
    if run.recipe.stopping.keeps_best:
        return min(series.finite)
    return series.last if math.isfinite(series.last) else max(series.finite)
