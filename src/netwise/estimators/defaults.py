"""Settings of the estimators that are "auto", by the number of samples.

Measured on small tables of scikit-learn and OpenML, see benchmarks/estimators.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

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

AUTO = "auto"
BATCH_SIZE = 200  # samples of one step; fewer samples are all in one batch
SMALL_SET = 1000  # samples below which a network of this size needs strong regularisation
SMALL_SET_DROPOUT, DROPOUT = 0.5, 0.2
SMALL_SET_DECAY, DECAY = 1.0, 0.1
MIN_DROPOUT_UNITS = 64  # units of a hidden layer below which none is dropped
STEPS, MIN_EPOCHS, MAX_EPOCHS = 6000, 20, 300
# Samples from which a tenth of them held out gains more than training without it loses.
MIN_HOLD_OUT_ROWS = 10_000
# Limit of standardised inputs, in standard deviations: without it, pixels that are hardly ever on
# reach hundreds.
INPUT_LIMIT = 3.0
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


def batch_size_for(rows: int) -> int:
    """All samples, at most `BATCH_SIZE`."""
    return min(rows, BATCH_SIZE)


def epochs_for(rows: int, batch_size: int) -> int:
    """Passes over the data that make `STEPS` steps, within limits: small data need many passes."""
    passes = math.ceil(STEPS * batch_size / max(1, rows))
    return max(MIN_EPOCHS, min(MAX_EPOCHS, passes))


def weight_decay_for(rows: int) -> float:
    """Of AdamW."""
    return SMALL_SET_DECAY if rows < SMALL_SET else DECAY


def dropout_for(rows: int, hidden: Sequence[int]) -> float:
    """Share of hidden units to drop; none where a hidden layer is narrow or missing."""
    if not hidden or min(hidden) < MIN_DROPOUT_UNITS:
        return 0.0
    return SMALL_SET_DROPOUT if rows < SMALL_SET else DROPOUT


def holds_out(early_stopping: bool | str, rows: int, fraction: float) -> bool:
    """Whether a part of the samples is held out for early stopping.

    Raises:
        ValueError: `early_stopping` is no boolean and not "auto".
    """
    if early_stopping not in (True, False, AUTO):
        raise ValueError(f'early_stopping = {early_stopping!r} must be True, False or "auto"')
    wanted = rows >= MIN_HOLD_OUT_ROWS if early_stopping == AUTO else bool(early_stopping)
    return wanted and int(rows * fraction) > 0
