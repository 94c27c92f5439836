"""The learning-rate threshold rule: the order of magnitude, then the threshold, then half of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from netwise.errors import Problem, WrongValue
from netwise.history import FINISHED, History
from netwise.parts.schedules import ConstantRate
from netwise.parts.stopping import Never
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.signals import LOSS
from netwise.training.fit import fit

STEPS = 200  # of a trial, at least an epoch: enough to tell a fall from a swing
LADDER = 10.0
FARTHEST = 8  # decades up or down from where the search begins
STANDING = 1e-30  # a rate at which no weight moves
SWINGS = 0.05  # share of the batches on which a run that falls may be worse than its start
NEAR = 0.02  # share of the loss of guessing within which a run has learned nothing
FINE = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)  # within the decade


@dataclass(frozen=True)
class RateThreshold:
    """What the rule found.

    Args:
        order: the largest power of ten times `start` at which the loss falls.
        threshold: the largest rate tried at which it falls.
        rate: half of the threshold: what to use.
        tried: (rate, did the loss fall from the start) in the order they were tried.

    Example:
        >>> import netwise as nw
        >>> nw.RateThreshold(order=0.1, threshold=0.5, rate=0.25, tried=((0.01, True), (0.1, True), (1.0, False), (0.5, True))).rate
        0.25
    """

    order: float
    threshold: float
    rate: float
    tried: tuple[tuple[float, bool], ...]


def rate_threshold(recipe: Recipe, *, start: float = 0.01) -> RateThreshold | None:
    """The learning rate by the notes' rule: find the order of magnitude, then the threshold, then
    take half of it.

    Each trial is a short run of its own from the same weights, with the same draws and order of the
    data, at a constant rate; the recipe, the data and every random stream stay as they are. The
    loss falls where it ends lowest and hardly a batch is worse on the way than with the untouched
    weights.

    Args:
        recipe: whose rate is wanted; its own rate is not looked at.
        start: where the ladder of tens begins, above 0. Default 0.01, as in the note.

    Returns:
        What was found, or None where the loss falls at no rate within eight decades.

    Raises:
        ValueError: a start that is not above 0.
        WrongValue: the recipe cannot run.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD())
        >>> found = nw.rate_threshold(recipe)
        >>> 0.05 <= found.rate <= 5, found.rate == found.threshold / 2
        (True, True)

    Source: Nielsen 2015, chapter 3; note 004, claim S06.
    """
    if recipe.network.is_memory or recipe.network.is_energy_model:
        told = (
            "has no loss that falls with a good rate: compare likelihoods of a few epochs instead"
        )
        raise WrongValue("rate", [Problem("network", type(recipe.network).__name__, told)])
    if not start > 0 or not math.isfinite(start):
        raise ValueError(f"start = {start} must be above 0: it is a rate. Write 0.01.")
    tried: dict[float, bool] = {}
    untouched = _losses(_short(recipe, STANDING))

    def falls(rate: float) -> bool:
        if rate not in tried:
            tried[rate] = _falls(untouched, _short(recipe, rate))
        return tried[rate]

    order = start
    if falls(order):
        while order < start * LADDER**FARTHEST and falls(order * LADDER):
            order *= LADDER
    else:
        while not falls(order):
            order /= LADDER
            if order < start / LADDER**FARTHEST:
                return None
    threshold = order
    for factor in FINE[1:]:
        if not falls(order * factor):
            break
        threshold = order * factor
    threshold = float(f"{threshold:.6g}")
    return RateThreshold(
        float(f"{order:.6g}"),
        threshold,
        threshold / 2,
        tuple((float(f"{rate:.6g}"), fell) for rate, fell in tried.items()),
    )


def _falls(untouched: Mapping[int, float], history: History) -> bool:
    """Whether the loss of a short run falls from the start, as against swinging: hardly a batch is
    worse than with the untouched weights, the last quarter is the best, and it has not ended where
    guessing is.

    Compared batch by batch, since losses of single batches differ by more than a good step gains.
    To end below the start is not enough: a network thrown off to where it answers the same for
    every input has the loss of guessing, often below that of its start.
    """
    losses = _losses(history)
    if (
        history.ended.how != FINISHED
        or len(losses) < 8
        or not all(map(math.isfinite, losses.values()))
    ):
        return False
    swings = fmean(loss > untouched.get(step, math.inf) for step, loss in losses.items())
    values, size = list(losses.values()), len(losses) // 4
    quarters = [fmean(values[i * size : (i + 1) * size]) for i in range(4)]
    guessing = history.facts.loss_of_guessing
    stuck = guessing is not None and abs(quarters[-1] - guessing) < NEAR * guessing
    return (
        swings <= SWINGS
        and not stuck
        and quarters[-1] < quarters[0]
        and quarters[-1] <= 1.1 * min(quarters)
    )


def _losses(history: History) -> dict[int, float]:
    """Training losses of the watched steps."""
    series = history.of(LOSS)
    return {} if series is None else dict(zip(series.steps, series.values, strict=True))


def _short(recipe: Recipe, rate: float) -> History:
    per_epoch = math.ceil(max(1, len(recipe.data.load().train)) / recipe.batch_size)
    short = with_learning_rate(recipe, rate).but(
        epochs=max(1, math.ceil(STEPS / per_epoch)), schedule=ConstantRate(), stopping=Never()
    )
    return fit(short, test=False, watch_every=max(1, min(per_epoch, STEPS) // 40)).history
