"""The plan of a search as one frozen value: the space, the method, how many trials, and how a trial
is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netwise.errors import Problem
from netwise.part import Part, integer, part, text
from netwise.searches.axes import Space
from netwise.searches.methods import Bayesian, Grid, SearchMethod


@dataclass(frozen=True, kw_only=True)
class SearchPlan(Part):
    """Everything that decides what a search tries; the recipe that it changes stands beside it.

    Args:
        space: the axes.
        method: how points are chosen. Default `Bayesian()`.
        trials: how many. A `Grid` and a `Population` count for themselves. Default 50.
        folds: judge each trial by a cross-validation of so many folds; 0: by the validation part.
            Default 0.
        repeats: how many times the folds are dealt. Default 1.
        fresh: runs of the winner over seeds that the search has not seen, for an honest score.
            Default 5.
        seeds: "same": all trials have the recipe's seed, so that they differ by their settings
            only; "each": one of their own. Default "same".
        seed: of what the search itself draws. Default 0.

    Example:
        >>> import netwise as nw
        >>> nw.SearchPlan(space=nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),)), trials=20).method
        Bayesian(surrogate='tpe', startup=10)
    """

    family_name: ClassVar[str] = "search"
    space: Space = part(
        Space,
        because="a search needs a space",
        write='{axes = [{kind = "Log", field = "optimizer.lr", low = 1e-4, high = 1.0}]}',
    )
    method: SearchMethod = part(
        SearchMethod, Bayesian(), why="learns from what was seen, with axes of every kind"
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
    repeats: int = integer(1, least=1, most=1000, because="it counts dealings", why="one dealing")
    fresh: int = integer(
        5, least=0, most=1000, because="it counts runs", why="an interval needs a few"
    )
    seeds: str = text("same", among=("same", "each"), why="settings are compared, not luck")
    seed: int = integer(
        0, least=0, most=2**31 - 1, because="it seeds the draws", why="any number does; say which"
    )

    def conflicts(self) -> list[Problem]:
        if self.folds == 1:
            return [
                Problem("folds", "1", "is no cross-validation: one fold has nothing beside it", "5")
            ]
        if self.repeats > 1 and not self.folds:
            return [
                Problem(
                    "repeats",
                    str(self.repeats),
                    "is how many times folds are dealt, and there are none",
                    "1",
                )
            ]
        return []

    @property
    def counts_itself(self) -> bool:
        """The method says how many trials there are."""
        return isinstance(self.method, Grid) or hasattr(self.method, "members")
