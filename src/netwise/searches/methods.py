"""Methods of a search: how its points are chosen, and which trials stop early."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from netwise import random_streams
from netwise.errors import interface_error
from netwise.part import Part, integer, number, text
from netwise.searches.axes import Choice, NumericAxis
from netwise.searches.optuna_package import require_optuna
from netwise.searches.rungs import Rungs
from netwise.searches.space import Point, Space
from netwise.searches.trial_record import TrialRecord

TPE, GP = "tpe", "gp"
DRAWS = "search"  # name of the random streams of what a search draws itself


@dataclass(frozen=True)
class Stage:
    """One stage of a method: trials in one space, each of the same number of epochs.

    Args:
        space: of the points.
        trials: how many; with a queue, its length.
        epochs: of each run, or None: the recipe's own.
        queue: the points, where the method chooses them before the stage.
        parents: for each point of the queue the number of the trial whose weights its run starts
            from, or None.
    """

    space: Space
    trials: int
    epochs: int | None = None
    queue: tuple[Point, ...] = ()
    parents: tuple[int | None, ...] = field(default=())


class SearchMethod(Part):
    """What every method has: its stages, and an Optuna sampler and pruner.

    Example:
        >>> import netwise as nw
        >>> nw.Random().stages
        1
    """

    family_name: ClassVar[str] = "search method"
    fixes_trials: ClassVar[bool] = False  # the number of trials follows from the method itself
    final_stage_only: ClassVar[bool] = False  # only trials of the last stage run to the end

    @property
    def stages(self) -> int:
        return 1

    @property
    def ranking_stage(self) -> int | None:
        """The stage whose trials are ranked, or None for all."""
        return self.stages - 1 if self.final_stage_only else None

    def stage(
        self,
        number: int,
        space: Space,
        trials: int,
        epochs: int,
        seed: int,
        previous: Sequence[TrialRecord],
    ) -> Stage:
        """A stage of a search, given the trials of the stages before it.

        Args:
            number: of the stage, from 0.
            space: of the search.
            trials, epochs, seed: of the whole search, of a whole run, of the search's draws.
            previous: the trials of the stages before.
        """
        return Stage(space, trials)

    def sampler(self, seed: int) -> Any:
        """A new Optuna sampler."""
        raise interface_error(self, "Random()")

    def rungs(self, epochs: int) -> Rungs | None:
        """After which epochs the trials of a search with runs of so many epochs are compared, and
        the worse ones stopped; None: never."""
        return None


class _RandomPoints(SearchMethod):
    """A method whose points Optuna draws at random, or that queues its points itself."""

    def sampler(self, seed: int) -> Any:
        require_optuna()
        import optuna

        return optuna.samplers.RandomSampler(seed=seed)


@dataclass(frozen=True)
class Grid(_RandomPoints):
    """Every combination of some values of each axis.

    For up to three axes: the number of trials is a power of the number of axes, and each axis gets
    few different values. With more axes use `Random`.

    Args:
        points: values of each numeric axis, in equal steps of its scale; a `Choice` has all its
            options. Default 3.

    Example:
        >>> import netwise as nw
        >>> rate = nw.axes.Log("optimizer.lr", 1e-3, 0.1)
        >>> space = nw.Space((rate, nw.axes.Choice("batch_size", (16, 64))))
        >>> len(nw.Grid(3).stage(0, space, 0, 10, 0, ()).queue)
        6

    Source: Bergstra, Bengio 2012, "Random search for hyper-parameter optimization", JMLR 13.
    """

    fixes_trials: ClassVar[bool] = True
    points: int = integer(
        3, least=1, most=1000, because="a grid has points", why="two ends and the middle"
    )

    def stage(
        self,
        number: int,
        space: Space,
        trials: int,
        epochs: int,
        seed: int,
        previous: Sequence[TrialRecord],
    ) -> Stage:
        queue: list[Point] = [{}]
        for axis in space.axes:
            queue = [
                {**point, axis.name: value} if axis.is_active(point) else point
                for point in queue
                for value in (axis.grid(self.points) if axis.is_active(point) else [None])
            ]
        return Stage(space, len(queue), queue=tuple(queue))


@dataclass(frozen=True)
class Random(_RandomPoints):
    """Points drawn from the whole space. Draws depend only on (seed, trial number), not on the
    worker or on the order of trials.

    Better than a grid where few axes matter: each trial has a new value of every axis.

    Example:
        >>> import netwise as nw
        >>> nw.Random()
        Random()

    Source: Bergstra, Bengio 2012, "Random search for hyper-parameter optimization", JMLR 13.
    """


@dataclass(frozen=True, kw_only=True)
class Bayesian(SearchMethod):
    """Each point where a model of the trials so far predicts the largest improvement.

    With several workers, which trials have ended when a point is drawn depends on their speed: the
    points then differ from search to search. With one worker they do not.

    Args:
        surrogate: "tpe", which models the densities of good and of bad points and is fast with many
            axes and choices, or "gp", a Gaussian process with log expected improvement, which needs
            fewer trials on few smooth axes. Default "tpe".
        startup: points drawn at random before the first model. Default 10.

    Example:
        >>> import netwise as nw
        >>> nw.Bayesian(surrogate="gp").startup
        10

    Source: Bergstra et al. 2011 (TPE); Jones et al. 1998 (EI); computed by Optuna.
    """

    surrogate: str = text(
        TPE, among=(TPE, GP), why="takes axes of every kind, and hundreds of trials"
    )
    startup: int = integer(
        10,
        least=1,
        most=10_000,
        because="it counts trials",
        why="a model of fewer points predicts little",
    )

    def sampler(self, seed: int) -> Any:
        require_optuna()
        import optuna

        if self.surrogate == GP:
            return optuna.samplers.GPSampler(seed=seed, n_startup_trials=self.startup)
        return optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=self.startup, constant_liar=True
        )


@dataclass(frozen=True, kw_only=True)
class Halving(_RandomPoints):
    """Successive halving: at each rung, a number of epochs, only the best of the trials so far
    continue.

    A trial is compared with the trials of lower numbers, and waits at a rung until these have
    reached it or have ended. So the same trials are pruned after the same epochs with one worker
    and with many, and after kills. Where `surrogate` is "tpe", the points themselves depend on
    which trials have ended when one is drawn, and so on the number of workers.

    A pruned run keeps its checkpoint and can be resumed.

    Args:
        factor: one of `factor` trials continues at each rung, and each rung has `factor` times as
            many epochs as the one before. Default 3.
        first: epochs of the first rung. Default 1.
        surrogate: "tpe" or "random": how points are chosen. Default "random".

    Example:
        >>> import netwise as nw
        >>> nw.Halving(factor=4).first
        1

    Source: Li et al. 2018, "A system for massively parallel hyperparameter tuning" (ASHA).
    """

    factor: int = integer(
        3, least=2, most=100, because="at 1 none is pruned", why="the paper's usual 3 or 4"
    )
    first: int = integer(
        1,
        least=1,
        most=100_000,
        because="a rung is a whole number of epochs",
        why="one epoch shows the worst",
    )
    surrogate: str = text("random", among=("random", TPE), why="the paper's")

    def sampler(self, seed: int) -> Any:
        return Bayesian().sampler(seed) if self.surrogate == TPE else super().sampler(seed)

    def rungs(self, epochs: int) -> Rungs | None:
        return Rungs(self.first, self.factor, epochs)


@dataclass(frozen=True, kw_only=True)
class Hyperband(Halving):
    """Several successive halvings in parallel, with early and with late first rungs, since it is
    unknown how early a run shows its value.

    Args:
        factor, first, surrogate: as in `Halving`.

    Example:
        >>> import netwise as nw
        >>> nw.Hyperband().factor
        3

    Source: Li et al. 2017, "Hyperband", arXiv 1603.06560.
    """

    def rungs(self, epochs: int) -> Rungs | None:
        brackets, rung = 1, self.first * self.factor
        while rung <= epochs:
            brackets, rung = brackets + 1, rung * self.factor
        return Rungs(self.first, self.factor, epochs, brackets)


@dataclass(frozen=True, kw_only=True)
class CoarseToFine(_RandomPoints):
    """First a few epochs over the whole range, then more epochs in its good part.

    Each stage draws its trials at random, from the range of the best trials of the stage before.
    Where these are at the end of an axis, the range itself was wrong, and `SearchResult.notes` says
    so.

    Args:
        rounds: number of stages. Default 3.
        keep: share of a stage's trials, the best, whose range is that of the next stage. Default
            0.25.
        shrink: each stage has this many times the epochs of the stage before; the last one has the
            recipe's. Default 4.0.

    Example:
        >>> import netwise as nw
        >>> method = nw.CoarseToFine(rounds=3)
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-6, 10.0),))
        >>> stage = method.stage(0, space, 30, 20, 0, ())
        >>> stage.trials, stage.epochs
        (17, 1)

    Source: CS231n, "Hyperparameter optimization: from coarse to fine".
    """

    final_stage_only: ClassVar[bool] = True
    rounds: int = integer(
        3,
        least=2,
        most=10,
        because="one stage is a random search",
        why="the range, the region, the value",
    )
    keep: float = number(
        0.25,
        above=0,
        most=1,
        because="it is a share of the trials",
        why="a quarter of the trials shows a region and not only a point",
    )
    shrink: float = number(
        4.0,
        least=1,
        most=1000,
        because="later stages are no shorter",
        why="1, 5, 20 epochs, as in CS231n",
    )

    @property
    def stages(self) -> int:
        return self.rounds

    def stage(
        self,
        number: int,
        space: Space,
        trials: int,
        epochs: int,
        seed: int,
        previous: Sequence[TrialRecord],
    ) -> Stage:
        shares = [2.0 ** (self.rounds - 1 - i) for i in range(self.rounds)]
        counts = [max(1, round(trials * share / sum(shares))) for share in shares]
        counts[-1] = max(1, trials - sum(counts[:-1]))
        for before in range(number):
            ranking = sorted(
                (t for t in previous if t.stage == before and t.value is not None),
                key=lambda t: -(t.value or 0.0),
            )
            space = narrowed(space, ranking[: max(2, math.ceil(self.keep * len(ranking)))])
        length = max(1, round(epochs / self.shrink ** (self.rounds - 1 - number)))
        points = [
            _drawn(space, np.random.default_rng(random_streams.seed_of(seed, DRAWS, number, place)))
            for place in range(counts[number])
        ]
        return Stage(space, counts[number], epochs=length, queue=tuple(points))


def narrowed(space: Space, best: Sequence[TrialRecord], least: float = 0.1) -> Space:
    """The part of a space that holds good trials.

    Args:
        space: the whole.
        best: the good trials.
        least: fraction of each numeric axis that is kept at least. A choice keeps the options that
            were used, or all where that was one.
    """
    axes = []
    for axis in space.axes:
        values = [trial.point[axis.name] for trial in best if axis.name in trial.point]
        if not values:
            axes.append(axis)
        elif isinstance(axis, Choice):
            options = tuple(option for option in axis.options if option in values)
            axes.append(axis.but(options=options) if len(options) > 1 else axis)
        else:
            axes.append(axis.narrowed_to(values, least))
    return space.but(axes=tuple(axes))


@dataclass(frozen=True, kw_only=True)
class Population(_RandomPoints):
    """Population based training: after some epochs the worst members continue from the weights of
    the best ones, with changed settings.

    The result is a schedule of settings more than one setting. Each generation of a member is a run
    of its own that starts from its parent's weights, with a new optimizer.

    Args:
        members: of the population, at least 2. Default 8.
        generations: how many; each has an equal part of the recipe's epochs. Default 5.
        replaced: share of the members that are replaced after each generation. Default 0.25.
        jump: factor by which a setting changes, up or down; on an axis that is not logarithmic, by
            `jump - 1` of its length. Default 1.2.

    Example:
        >>> import netwise as nw
        >>> nw.Population(members=4, generations=3).stages
        3

    Source: Jaderberg et al. 2017, "Population based training of neural networks", arXiv 1711.09846.
    """

    fixes_trials: ClassVar[bool] = True
    final_stage_only: ClassVar[bool] = True
    members: int = integer(
        8,
        least=2,
        most=10_000,
        because="one has no other member to continue from",
        why="a quarter of them are two",
    )
    generations: int = integer(
        5,
        least=2,
        most=1000,
        because="with one no weights are passed on",
        why="a few changes in a run",
    )
    replaced: float = number(
        0.25,
        above=0,
        most=0.5,
        because="the replaced members continue from as many others",
        why="the paper's 20 %, in whole members",
    )
    jump: float = number(
        1.2, above=1, most=10, because="at 1 nothing changes", why="the paper's 0.8 and 1.2"
    )

    @property
    def stages(self) -> int:
        return self.generations

    def stage(
        self,
        number: int,
        space: Space,
        trials: int,
        epochs: int,
        seed: int,
        previous: Sequence[TrialRecord],
    ) -> Stage:
        length = max(1, round(epochs / self.generations))
        rng = np.random.default_rng(random_streams.seed_of(seed, DRAWS, number))
        if number == 0:
            drawn = tuple(_drawn(space, rng) for _ in range(self.members))
            return Stage(space, self.members, length, drawn, (None,) * self.members)
        before = sorted(
            (t for t in previous if t.stage == number - 1),
            key=lambda t: (-(t.value if t.value is not None else -math.inf), t.number),
        )
        before = [t for t in before if t.value is not None and t.folder] or before
        cut = max(1, int(self.replaced * self.members))
        kept = before[: max(1, self.members - cut)]
        queue, parents = [t.point for t in kept], [t.number for t in kept]
        for i in range(self.members - len(kept)):
            parent = before[i % max(1, min(cut, len(before)))]
            queue.append(
                {
                    name: self._changed(space, name, value, rng)
                    for name, value in parent.point.items()
                }
            )
            parents.append(parent.number)
        return Stage(space, self.members, length, tuple(queue), tuple(parents))

    def _changed(self, space: Space, name: str, value: Any, rng: np.random.Generator) -> Any:
        axis = space.axis(name)
        if not isinstance(axis, NumericAxis):
            return value  # a network of another kind could not take the weights
        up = bool(rng.integers(2))
        if axis.is_logarithmic:
            step = math.log(self.jump) / math.log(axis.high / axis.low)
        else:
            step = self.jump - 1
        fraction = axis.fraction_of(value) + (step if up else -step)
        return axis.value_at(min(1.0, max(0.0, fraction)))


def _drawn(space: Space, rng: np.random.Generator) -> Point:
    point: Point = {}
    for axis in space.axes:
        fraction = float(rng.random())  # drawn for inactive axes too: draws stay in step
        if axis.is_active(point):
            point[axis.name] = axis.value_at(fraction)
    return point


METHODS: tuple[type[SearchMethod], ...] = (
    Grid,
    Random,
    Bayesian,
    Halving,
    Hyperband,
    CoarseToFine,
    Population,
)
