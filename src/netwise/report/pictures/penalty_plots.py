"""What a penalty does to a loss of one weight: the loss, with L2, with L1, and where each is
lowest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netwise.report.pictures.drawing import BLUE, GREEN, ORANGE, figure, save

POINTS = 401


@dataclass(frozen=True)
class PenaltyMinimum:
    """Where (w - best)² / 2 plus a penalty is lowest.

    Args:
        penalty: "none", "L2" (strength / 2 w²) or "L1" (strength |w|).
        weight: at the minimum.
        loss: there, penalty included.

    Example:
        >>> import netwise as nw
        >>> [round(each.weight, 2) for each in nw.penalty_minima(best=1.0, strength=0.5)]
        [1.0, 0.67, 0.5]
    """

    penalty: str
    weight: float
    loss: float


def penalty_minima(best: float = 1.0, strength: float = 0.5) -> tuple[PenaltyMinimum, ...]:
    """The minima of (w - best)² / 2 without a penalty, with L2 and with L1.

    L2 shrinks the weight by a factor, and never to 0; L1 takes the same amount from each weight,
    and those below it become exactly 0.

    Args:
        best: the weight with the lowest loss.
        strength: of the penalties, at least 0.

    Raises:
        ValueError: a number is not finite, or the strength below 0.

    Example:
        >>> import netwise as nw
        >>> nw.penalty_minima(best=0.3, strength=0.5)[2].weight
        0.0

    Source: Goodfellow, Bengio, Courville 2016, section 7.1.
    """
    if not (math.isfinite(best) and math.isfinite(strength) and strength >= 0):
        raise ValueError(
            f"best = {best} and strength = {strength} must be finite, and the strength at least "
            "0: penalties do not reward large weights. Write best=1.0, strength=0.5."
        )
    weights = {
        "none": best,
        "L2": best / (1 + strength),
        "L1": math.copysign(max(abs(best) - strength, 0.0), best) if abs(best) > strength else 0.0,
    }
    return tuple(
        PenaltyMinimum(name, w, float(_loss(np.array(w), name, best, strength)))
        for name, w in weights.items()
    )


def _loss(w: np.ndarray, penalty: str, best: float, strength: float) -> np.ndarray:
    added = {"none": 0 * w, "L2": strength / 2 * w**2, "L1": strength * np.abs(w)}[penalty]
    total: np.ndarray = (w - best) ** 2 / 2 + added
    return total


def plot_penalties(path: str | Path, best: float = 1.0, strength: float = 0.5) -> Path:
    """Draw the loss of one weight without a penalty, with L2 and with L1, and their minima.

    Args:
        path: a file whose name ends in .png or .svg.
        best, strength: as in `penalty_minima`.

    Raises:
        ValueError: as `penalty_minima`, or another ending.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> nw.plot_penalties(pathlib.Path(tempfile.mkdtemp()) / "penalties.svg").suffix
        '.svg'

    Source: Goodfellow, Bengio, Courville 2016, section 7.1.
    """
    minima = penalty_minima(best, strength)
    reach = max(abs(best), 0.5)
    w = np.linspace(min(best, 0) - reach, max(best, 0) + reach, POINTS)
    with figure(height=2.6, columns=3, width=9.0, paper=True) as (made, axes):
        for axis, minimum, colour in zip(axes[0], minima, (BLUE, GREEN, ORANGE), strict=True):
            axis.plot(w, _loss(w, "none", best, strength), color=BLUE, linewidth=0.8, alpha=0.6)
            axis.plot(w, _loss(w, minimum.penalty, best, strength), color=colour)
            axis.plot([minimum.weight], [minimum.loss], "o", color=colour)
            words = "loss" if minimum.penalty == "none" else f"loss + {minimum.penalty}"
            axis.set_title(f"{words}: lowest at {minimum.weight:.2g}")
            axis.set_xlabel("weight")
        return save(made, Path(path), "A loss with L2 and with L1")
