"""An estimator whose training diverged says so, as scikit-learn's own estimators do."""

from __future__ import annotations

from netwise.signals import TRAIN_LOSS
from netwise.training.divergence import USUAL_RATE, diverged, warn_not_converged
from netwise.training.run import Run

EXPLOSION = 10.0  # training loss over that of guessing; a network that learns anything is below 1


def warn_if_diverged(
    estimator: object, run: Run, *, own_rate: bool, is_piece: bool = False
) -> None:
    """Issue scikit-learn's `ConvergenceWarning` where the run diverged, or ended far above the loss
    of guessing.

    Args:
        estimator: whose run it is.
        run: the run.
        own_rate: the estimator has the learning rate as a parameter.
        is_piece: of `partial_fit`; new samples may have a high loss, and their targets any spread.
    """
    what = run.history.ended.sentence if diverged(run) else "" if is_piece else _explosion(run)
    if not what:
        return
    rate = f"{min(run.recipe.optimizer.lr / 10, USUAL_RATE):g}"
    advice = f"learning_rate={rate}" if own_rate else f"recipe.optimizer.lr = {rate}"
    warn_not_converged(
        f"{type(estimator).__name__}: {what} Predictions are those of these weights. "
        f"Lower the learning rate, such as {advice}, and scale X to a few units."
    )


def _explosion(run: Run) -> str:
    """A sentence where the training loss ends at many times that of guessing; else ""."""
    losses, guessing = run.history.of(TRAIN_LOSS), run.history.facts.loss_of_guessing
    if losses is None or not guessing or losses.last <= EXPLOSION * guessing:
        return ""
    return f"The training loss ends at {losses.last:.3g}, and that of guessing is {guessing:.3g}."
