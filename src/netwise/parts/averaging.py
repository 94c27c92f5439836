"""Weight averaging: the run is judged and ends by an average of its weights over time, which is
calmer than any one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netwise.errors import interface_error
from netwise.part import Part, number


class Averaging(Part):
    """What every averaging has: the share with which the present weights enter the average, average
    += share * (weights - average).

    The engine keeps the average beside the weights that learn, validates with it, and ends the run
    with it. Running statistics of norm layers are averaged alike.

    Attributes:
        each_step: asked after each step, not only after each epoch.

    Example:
        >>> import netwise as nw
        >>> nw.EMA().each_step, nw.SWA().each_step
        (True, False)
    """

    family_name: ClassVar[str] = "averaging"
    each_step: ClassVar[bool] = True

    def share(self, count: int, done: float) -> float | None:
        """For the weights that come after `count` others, when `done` of the run (0 to 1) is over;
        None: not now."""
        raise interface_error(self, "EMA()")


@dataclass(frozen=True, kw_only=True)
class EMA(Averaging):
    """Exponential moving average of the weights, after each step: average <- d average + (1 - d)
    weights.

    In the first steps d = min(decay, (1 + t) / (10 + t)), so that the start is soon forgotten.

    Args:
        decay: from 0 to below 1; 1 / (1 - decay) is the number of steps it looks back. Default
            0.999.

    Example:
        >>> import netwise as nw
        >>> round(nw.EMA(decay=0.99).share(0, 0.0), 2), round(nw.EMA(decay=0.99).share(10_000, 0.9), 2)
        (0.9, 0.01)

    Source: Polyak, Juditsky 1992; Tarvainen, Valpola 2017, arXiv 1703.01780; the warm start:
    TensorFlow's `ExponentialMovingAverage`.
    """

    decay: float = number(
        0.999, least=0, below=1, because="at 1 nothing is averaged in", why="a thousand steps back"
    )

    def share(self, count: int, done: float) -> float | None:
        return 1 - min(self.decay, (1 + count) / (10 + count))


@dataclass(frozen=True, kw_only=True)
class SWA(Averaging):
    """Stochastic weight averaging: the plain mean of the weights at the ends of the last epochs.

    Args:
        start: share of the run before the first weights count, from 0 to below 1. Default 0.75.

    Example:
        >>> import netwise as nw
        >>> rule = nw.SWA(start=0.5)
        >>> rule.share(0, 0.25), rule.share(0, 0.75), rule.share(1, 1.0)
        (None, 1.0, 0.5)

    Source: Izmailov et al. 2018, arXiv 1803.05407; there norm layers are estimated anew, here their
    statistics are averaged.
    """

    each_step: ClassVar[bool] = False
    start: float = number(
        0.75, least=0, below=1, because="it is a share of the run", why="the paper's value"
    )

    def share(self, count: int, done: float) -> float | None:
        return 1 / (count + 1) if done > self.start else None


AVERAGINGS: tuple[type[Averaging], ...] = (EMA, SWA)
