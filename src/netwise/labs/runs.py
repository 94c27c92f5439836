"""Runs of a lab: one that was interrupted is no result."""

from __future__ import annotations

from netwise.history import INTERRUPTED
from netwise.recipe.recipe import Recipe
from netwise.training.fit import fit
from netwise.training.run import Run


def trained(recipe: Recipe) -> Run:
    """The run of a recipe, whole.

    Raises:
        KeyboardInterrupt: it was stopped before its end; numbers of half a run must not be kept as
            those of a lab.
    """
    run = fit(recipe)
    if run.history.ended.how == INTERRUPTED:
        raise KeyboardInterrupt
    return run
