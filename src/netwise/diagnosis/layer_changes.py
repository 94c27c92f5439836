"""What training did to the weights of each layer: a row of numbers for the whole run."""

from __future__ import annotations

import math
from dataclasses import dataclass

from netwise.diagnosis.rules.outcome import finite_median
from netwise.history import History
from netwise.signals import (
    EFFECTIVE_RATE,
    GRADIENT_SIGN,
    UPDATE_COSINE,
    WEIGHT_DISTANCE,
    WEIGHT_SMALL,
)

CHANGES_HEAD = (
    "layer",
    "moved",
    "effective rate",
    "nearly 0, first",
    "nearly 0, last",
    "signs agree",
    "turns back",
)
CHANGES_MEANING = (
    "moved: distance of the weights from their start, over the larger norm of both.",
    "effective rate: change of a weight over its gradient, median over weights and steps.",
    "nearly 0: weights below 1 % of their root mean square; 0.8 % of normal weights.",
    "signs agree: 1 where all weights of a unit get gradients of one sign, as from such inputs.",
    "turns back: share of the steps that go against the step before, as in a zig-zag.",
)


@dataclass(frozen=True)
class LayerChange:
    """What training did to the weights of one layer; None where it was not recorded.

    Args:
        layer: its name in the module.
        moved: distance of the last weights from those at the start, over the larger norm of both.
        effective_rate: change of a weight over its gradient, median over weights and steps.
        small_first, small_last: share of the weights below 1 % of their root mean square, at the
            start and at the end: a penalty of their absolute values (L1) makes it grow.
        signs_agree: agreement of the signs of a unit's gradient, from 0 to 1, median over steps.
            Inputs of one sign force it to 1 for a single sample.
        turns_back: share of the watched steps whose change has a negative cosine with that of the
            watched step before; steps in random directions have a half.
    """

    layer: str
    moved: float | None
    effective_rate: float | None
    small_first: float | None
    small_last: float | None
    signs_agree: float | None
    turns_back: float | None

    def cells(self) -> tuple[str, ...]:
        """As a row under `CHANGES_HEAD`."""
        return (
            self.layer,
            _number(self.moved, "{:.2f}"),
            _number(self.effective_rate, "{:.3g}"),
            _number(self.small_first, "{:.1%}").replace("%", " %"),
            _number(self.small_last, "{:.1%}").replace("%", " %"),
            _number(self.signs_agree, "{:.2f}"),
            _number(self.turns_back, "{:.2f}"),
        )


def layer_changes(history: History) -> tuple[LayerChange, ...]:
    """The rows of all layers whose weights were watched, from the input to the output.

    Example:
        >>> import netwise as nw
        >>> from netwise.diagnosis.layer_changes import layer_changes
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 8, 10)), epochs=2)
        >>> [row.layer for row in layer_changes(nw.fit(recipe).history)]
        ['layer1', 'layer2']
    """
    rows = (_change_of(history, layer.name) for layer in history.layers)
    return tuple(row for row in rows if any(cell != "-" for cell in row.cells()[1:]))


def _change_of(history: History, layer: str) -> LayerChange:
    values = {
        signal: each.finite if (each := history.of(signal, layer)) is not None else ()
        for signal in (WEIGHT_DISTANCE, EFFECTIVE_RATE, WEIGHT_SMALL, GRADIENT_SIGN, UPDATE_COSINE)
    }
    moved, small, cosines = values[WEIGHT_DISTANCE], values[WEIGHT_SMALL], values[UPDATE_COSINE]
    return LayerChange(
        layer,
        moved=moved[-1] if moved else None,
        effective_rate=finite_median(values[EFFECTIVE_RATE]),
        small_first=small[0] if small else None,
        small_last=small[-1] if small else None,
        signs_agree=finite_median(values[GRADIENT_SIGN]),
        turns_back=sum(cosine < 0 for cosine in cosines) / len(cosines) if cosines else None,
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None or not math.isfinite(value) else form.format(value)
