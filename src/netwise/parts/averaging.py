"""Weight averaging: validation and the final weights use an average of the weights over time, which
varies less than the weights themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netwise.errors import interface_error
from netwise.part import Part, number


class Averaging(Part):
    """Interface of averagings: the share with which the current weights enter the average,
    average += share * (weights - average).

    Training keeps the average beside the trained weights, validates with it, and saves it as the
    result. Running statistics of normalisation layers are averaged too.

    Attributes:
        each_step: the average is updated after each step, not only after each epoch.

    Example:
        >>> import netwise as nw
        >>> nw.EMA().each_step, nw.SWA().each_step
        (True, False)
    """

    family_name: ClassVar[str] = "averaging"
    each_step: ClassVar[bool] = True

    def share(self, count: int, done: float) -> float | None:
        """The share of the current weights, from 0 to 1, or None to leave the average as it is.

        Args:
            count: weights averaged so far.
            done: completed share of the run, from 0 to 1.
        """
        raise interface_error(self, "EMA()")


@dataclass(frozen=True, kw_only=True)
class EMA(Averaging):
    """Exponential moving average of the weights, after each step.

        average <- d * average + (1 - d) * weights,    d = min(decay, (1 + t) / (10 + t))

    In the first steps d is smaller than `decay`, so that the initial weights soon lose their
    influence.

    Args:
        decay: from 0 to below 1; 1 / (1 - decay) is roughly the number of steps averaged over.
            Default 0.999.

    Example:
        >>> import netwise as nw
        >>> rule = nw.EMA(decay=0.99)
        >>> round(rule.share(0, 0.0), 2), round(rule.share(10_000, 0.9), 2)
        (0.9, 0.01)

    Source: Polyak, Juditsky 1992; Tarvainen, Valpola 2017, arXiv 1703.01780; the warm start:
    TensorFlow's `ExponentialMovingAverage`.
    """

    decay: float = number(
        0.999,
        least=0,
        below=1,
        because="at 1 nothing is averaged in",
        why="averages over about a thousand steps",
    )

    def share(self, count: int, done: float) -> float | None:
        return 1 - min(self.decay, (1 + count) / (10 + count))


@dataclass(frozen=True, kw_only=True)
class SWA(Averaging):
    """Stochastic weight averaging: the plain mean of the weights at the ends of the last epochs.

    Args:
        start: share of the run before averaging starts, from 0 to below 1. Default 0.75.

    Example:
        >>> import netwise as nw
        >>> rule = nw.SWA(start=0.5)
        >>> rule.share(0, 0.25), rule.share(0, 0.75), rule.share(1, 1.0)
        (None, 1.0, 0.5)

    Source: Izmailov et al. 2018, arXiv 1803.05407; there the statistics of normalisation layers are
    computed again with the averaged weights, here they are averaged.
    """

    each_step: ClassVar[bool] = False
    start: float = number(
        0.75, least=0, below=1, because="it is a share of the run", why="the paper's value"
    )

    def share(self, count: int, done: float) -> float | None:
        return 1 / (count + 1) if done > self.start else None


AVERAGINGS: tuple[type[Averaging], ...] = (EMA, SWA)
