"""Settings of the estimators that are names or "auto"; those that depend on the samples are in
`recipe/table_settings.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

from netwise.errors import close_matches
from netwise.parts.activations import (
    ACTIVATIONS,
    ELU,
    GELU,
    Activation,
    LeakyReLU,
    Mish,
    PReLU,
    ReLU,
    SiLU,
)
from netwise.parts.initializers import Glorot, He, Initializer
from netwise.recipe.table_settings import MEMBERS

AUTO = "auto"
# Samples from which a tenth of them held out gains more than training without it loses: on noisy
# classes many points, elsewhere it costs a fraction of one.
MIN_HOLD_OUT_ROWS = 1000
ACTIVATION_BY_NAME: dict[str, type[Activation]] = {
    **{each.__name__.lower(): each for each in ACTIVATIONS},
    "logistic": next(each for each in ACTIVATIONS if each.__name__ == "Sigmoid"),
}
HE_ACTIVATIONS = (ReLU, LeakyReLU, PReLU, ELU, GELU, SiLU, Mish)


def activation_of(name: str) -> Activation:
    """The activation with this name, in any case; "logistic" is scikit-learn's name of "sigmoid".

    Raises:
        ValueError: there is none.
    """
    known = ACTIVATION_BY_NAME.get(str(name).lower())
    if known is not None:
        return known()
    close = close_matches(str(name), ACTIVATION_BY_NAME)
    raise ValueError(
        f"activation = {name!r} must be one of {', '.join(ACTIVATION_BY_NAME)}"
        + (f". Did you mean {close}?" if close else "")
    )


def initializer_for(activation: Activation) -> Initializer:
    """He for activations of the ReLU kind, which zero half of their inputs, else Glorot."""
    return He() if isinstance(activation, HE_ACTIVATIONS) else Glorot()


def members_for(members: Any, hidden: Sequence[int]) -> int:
    """Networks of the ensemble; one where there is no hidden layer, since the mean of linear models
    is a linear model.

    Raises:
        ValueError: `members` is neither a number of at least 1 nor "auto".
    """
    if members != AUTO and (not isinstance(members, Integral) or members < 1):
        raise ValueError(f'members = {members!r} must be a whole number from 1, or "auto": write 8')
    if not hidden:
        return 1
    return MEMBERS if members == AUTO else int(members)


def holds_out(early_stopping: bool | str, rows: int, fraction: float) -> bool:
    """Whether a part of the samples is held out for early stopping.

    Raises:
        ValueError: `early_stopping` is no boolean and not "auto".
    """
    if early_stopping not in (True, False, AUTO):
        raise ValueError(f'early_stopping = {early_stopping!r} must be True, False or "auto"')
    wanted = rows >= MIN_HOLD_OUT_ROWS if early_stopping == AUTO else bool(early_stopping)
    return wanted and int(rows * fraction) > 0
