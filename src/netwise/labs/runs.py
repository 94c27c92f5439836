"""Training runs of a lab: whole runs only, and the values that they recorded."""

from __future__ import annotations

import math
from collections.abc import Sequence

from netwise.recipe.recipe import Recipe
from netwise.signals import NETWORK, VALID_ACCURACY
from netwise.training.fit import fit
from netwise.training.interrupt import uninterrupted
from netwise.training.run import Run

CHANCE = 0.1  # accuracy of guessing among ten classes


def train_whole(recipe: Recipe, *, watch_every: int | None = None, test: bool = True) -> Run:
    """Train a recipe to the end of its run.

    Args:
        recipe: what to train.
        watch_every, test: as in `fit`.

    Raises:
        KeyboardInterrupt, Terminated: the run was interrupted; numbers of a part of a run must not
            be recorded as those of a lab.
    """
    return uninterrupted(fit(recipe, watch_every=watch_every, test=test))


def signal_values(run: Run, signal: str, layer: str = NETWORK) -> Sequence[float]:
    """The values of one signal over a run.

    Raises:
        LookupError: the run recorded none.
    """
    series = run.history.of(signal, layer)
    if series is None:
        where = f" of {layer}" if layer != NETWORK else ""
        raise LookupError(
            f"the run of recipe {run.recipe.hash} recorded no {signal!r}{where}, which this lab "
            "reads. Use a recipe with a validation part for accuracies, or pass watch_every=1 "
            "for signals of layers."
        )
    return series.values


def final_accuracy(run: Run) -> float:
    """Validation accuracy after the last epoch; that of guessing where the run diverged."""
    series = run.history.of(VALID_ACCURACY)
    return CHANCE if series is None or not math.isfinite(series.last) else series.last
