"""Degradation (网络退化): a deep network that fits its training data worse than a shallower one."""

from __future__ import annotations

from math import inf, isfinite

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.history import History
from netwise.tasks import CLASSIFICATION, REGRESSION

WORSE = 1.1  # training loss over that of the shallower twin
MATTERS = 0.02  # of the loss of guessing: a smaller difference does no harm


def degradation(history: History) -> Answer:
    """Find a deep network whose training loss is above that of a shallower twin by more than
    chance."""
    twin = history.facts.shallower
    if twin is None:
        return Unchecked("no shallower network was trained beside it: nw.with_shallower_twin(run)")
    ratio = twin.train_loss / twin.twin_train_loss if twin.twin_train_loss > 0 else inf
    if not isfinite(twin.train_loss):
        ratio = inf
    guess = history.facts.loss_of_guessing
    apart = twin.train_loss - twin.twin_train_loss
    small = guess is not None and guess > 0 and apart < MATTERS * guess
    if not twin.low > 0 or not ratio > WORSE or small:
        return None
    return Finding(
        rule="degradation",
        sentence=(
            f"With {twin.layers} hidden layers the training loss ends at {twin.train_loss:.3g}, "
            f"with {twin.twin_layers} of them at {twin.twin_train_loss:.3g} (means of {twin.pairs} "
            "pairs): the deeper network could be the shallower one followed by layers that change "
            "nothing, and does not find it."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("training loss / that of the shallower twin", ratio, WORSE),),
        strength=ratio / WORSE,
        grade="proved",
    )


DEGRADATION = Rule(
    name="degradation",
    title="Deeper and worse in training",
    find=degradation,
    explanation=(
        "More layers can express all that fewer can, so their training loss should not be higher. "
        "Where it is, the layers are hard to optimise: plain layers do not find the identity. This "
        "is no overfitting, which lowers the training loss. Residual connections start from the "
        "identity; batch normalization and a fitting start help as well, or fewer layers."
    ),
    healthy="A training loss that is at most that of a network of half as many layers.",
    source="He, Zhang, Ren, Sun 2015, Deep residual learning, arXiv 1512.03385, section 1",
    explains=("vanishing_gradient", "exploding_gradient", "underfitting", "not_learning"),
    remedies=("use_residual", "use_batch_norm", "use_fitting_init", "use_relu"),
    tasks=(CLASSIFICATION, REGRESSION),
    of_recipes=True,
)
