"""Runs that diverged are named to whoever asked for their results."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from netwise.errors import TrainingDiverged
from netwise.history import DIVERGED
from netwise.training.run import Run

USUAL_RATE = 0.01
_PACKAGE = str(Path(__file__).parent.parent)


def diverged(run: Run) -> bool:
    """Whether a loss or a weight of the run became infinite or nan."""
    return run.history.ended.how == DIVERGED


def warn_of_diverged(runs: Sequence[Run], names: Sequence[str], effect: str) -> None:
    """Warn by scikit-learn's `ConvergenceWarning` where some runs diverged.

    Args:
        runs: those whose results are compared.
        names: of each, such as "fold 1".
        effect: on the result, a sentence.

    Raises:
        TrainingDiverged: all of them did, so that there is no result.
    """
    found = [(name, run) for name, run in zip(names, runs, strict=True) if diverged(run)]
    if not found:
        return
    which = ", ".join(name for name, _ in found[:5]) + (" ..." if len(found) > 5 else "")
    first = found[0][1]
    text = f"{len(found)} of {len(runs)} runs diverged ({which}). {first.history.ended.sentence}"
    rate = min(first.recipe.optimizer.lr / 10, USUAL_RATE)
    advice = f"Lower the learning rate, such as optimizer.lr = {rate:g}."
    if len(found) == len(runs):
        raise TrainingDiverged(f"{text} There is no result. {advice}")
    warn_not_converged(f"{text} {effect} {advice}")


def warn_not_converged(text: str) -> None:
    """Issue scikit-learn's `ConvergenceWarning`, at the line that called netwise."""
    from sklearn.exceptions import ConvergenceWarning  # heavy

    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, ConvergenceWarning, stacklevel=level)
