"""The plan of a search as one frozen value: the space, the method, the number of trials, and how a
trial is evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netwise.errors import Problem
from netwise.part import Part, integer, part, text
from netwise.searches.methods import Bayesian, SearchMethod
from netwise.searches.space import Space


@dataclass(frozen=True, kw_only=True)
class SearchPlan(Part):
    """All settings of a search; the recipe that it changes is kept beside it.

    Args:
        space: the axes.
        method: how points are chosen. Default `Bayesian()`.
        trials: how many. A `Grid` and a `Population` fix the number themselves. Default 50.
        folds: evaluate each trial by cross-validation with so many folds; 0: by the validation
            part. Default 0.
        repeats: how many times the samples are split into folds. Default 1.
        fresh: runs of the winner with seeds that the search has not used, for an unbiased value.
            Default 5.
        seeds: "same": all trials have the recipe's seed, so that they differ by their settings
            only; "each": each trial has a seed of its own. Default "same".
        seed: of the random draws of the search itself. Default 0.

    Example:
        >>> import netwise as nw
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
        >>> nw.SearchPlan(space=space, trials=20).method
        Bayesian(surrogate='tpe', startup=10)
    """

    family_name: ClassVar[str] = "search"
    space: Space = part(
        Space,
        because="a search needs a space",
        write='{axes = [{kind = "Log", field = "optimizer.lr", low = 1e-4, high = 1.0}]}',
    )
    method: SearchMethod = part(
        SearchMethod, Bayesian(), why="uses the trials so far, with axes of every kind"
    )
    trials: int = integer(
        50, least=1, most=10**6, because="it counts trials", why="enough for four or five axes"
    )
    folds: int = integer(
        0,
        least=0,
        most=1000,
        because="it counts folds",
        why="one validation part is cheap; folds pay below about a thousand samples",
    )
    repeats: int = integer(
        1, least=1, most=1000, because="it counts splits into folds", why="one split"
    )
    fresh: int = integer(
        5, least=0, most=1000, because="it counts runs", why="an interval needs a few"
    )
    seeds: str = text(
        "same", among=("same", "each"), why="trials differ by their settings and not by chance"
    )
    seed: int = integer(
        0,
        least=0,
        most=2**31 - 1,
        because="it seeds the draws",
        why="any number; keep it to repeat",
    )

    def conflicts(self) -> list[Problem]:
        if self.folds == 1:
            reason = "is no cross-validation: one fold leaves no samples to train on"
            return [Problem("folds", "1", reason, "5")]
        if self.repeats > 1 and not self.folds:
            reason = "is how many times the samples are split into folds, and folds = 0"
            return [Problem("repeats", str(self.repeats), reason, "repeats = 1, or folds = 5")]
        return []
