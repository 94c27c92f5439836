"""How a search chooses its points: grid, random, Bayesian, with pruning, from coarse to fine, by a
population."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from netwise import random_streams
from netwise.errors import interface_error
from netwise.part import Part, integer, number, text
from netwise.searches.axes import Choice, NumericAxis, Point, Space
from netwise.searches.optuna_package import require_optuna
from netwise.searches.trial_record import TrialRecord

BUDGET = "it counts trials"
TPE, GP = "tpe", "gp"
DRAWS = "search"  # name of the random streams of what a search draws itself


@dataclass(frozen=True)
class Stage:
    """One round of a method: so many trials in one space, for so many epochs.

    Args:
        space: where the points come from.
        trials: how many; for a queue, its length.
        epochs: of each run, or None: the recipe's own.
        queue: the points themselves, where the method knows them before.
        parents: for each point of the queue the trial whose weights it begins from, or None.
    """

    space: Space
    trials: int
    epochs: int | None = None
    queue: tuple[Point, ...] = ()
    parents: tuple[int | None, ...] = field(default=())


class SearchMethod(Part):
    """What every method has: how many stages, what each is, and the Optuna sampler and pruner that
    serve it.

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
        tried: Sequence[TrialRecord],
    ) -> Stage:
        """Stage `number` of a search for so many `trials` of so many `epochs`, after what was
        `tried` in those before."""
        return Stage(space, trials)

    def sampler(self, seed: int) -> Any:
        """A fresh Optuna sampler."""
        raise interface_error(self, "Random()")

    def pruner(self, epochs: int) -> Any:
        """An Optuna pruner that is asked after each epoch, or None."""
        return None


class _Drawing(SearchMethod):
    """A method whose points Optuna draws at random, or that needs none of it."""

    def sampler(self, seed: int) -> Any:
        require_optuna()
        import optuna

        return optuna.samplers.RandomSampler(seed=seed)


@dataclass(frozen=True)
class Grid(_Drawing):
    """Every combination of some values of each axis.

    For up to three axes: what it costs grows by a power of their number, and each axis is looked at
    in few places only.

    Args:
        points: values of each axis of numbers, in equal steps of its scale; a `Choice` has all of
            its own. Default 3.

    Example:
        >>> import netwise as nw
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 0.1), nw.axes.Choice("batch_size", (16, 64))))
        >>> len(nw.Grid(3).stage(0, space, 0, 10, 0, ()).queue)
        6

    Source: note 002, claims H02 and H07.
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
        tried: Sequence[TrialRecord],
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
class Random(_Drawing):
    """Points drawn from the whole space, each by its own number: the same ones whoever draws them,
    and in whatever order.

    Beats a grid where few axes matter: each trial looks at a new value of every axis.

    Example:
        >>> import netwise as nw
        >>> nw.Random()
        Random()

    Source: Bergstra, Bengio 2012, "Random search for hyper-parameter optimization"; note 002, claim
    H03.
    """


@dataclass(frozen=True, kw_only=True)
class Bayesian(SearchMethod):
    """Each point where a model of what was seen so far promises most.

    Args:
        surrogate: "tpe", which models where good and bad points lie and is quick with many axes and
            choices, or "gp", a Gaussian process with log expected improvement, which needs fewer
            trials on few smooth axes. Default "tpe".
        startup: points drawn at random before there is a model. Default 10.

    Example:
        >>> import netwise as nw
        >>> nw.Bayesian(surrogate="gp").startup
        10

    Source: Bergstra et al. 2011 (TPE); Jones et al. 1998 (EI); computed by Optuna; note 002, claim
    H04.
    """

    surrogate: str = text(
        TPE, among=(TPE, GP), why="takes axes of every kind, and hundreds of trials"
    )
    startup: int = integer(
        10, least=1, most=10_000, because=BUDGET, why="a model of fewer points knows nothing"
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
class Halving(_Drawing):
    """Successive halving: at each rung of epochs only the best share of the trials that came so far
    goes on.

    A pruned run is kept with its checkpoint, and can be gone on with.

    Args:
        factor: one of so many goes on at each rung, and rungs lie that many times apart. Default 3.
        first: epochs of the first rung. Default 1.
        surrogate: "tpe" or "random": where points come from. Default "random".

    Example:
        >>> import netwise as nw
        >>> nw.Halving(factor=4).first
        1

    Source: Li et al. 2018, "A system for massively parallel hyperparameter tuning" (ASHA); computed
    by Optuna.
    """

    factor: int = integer(
        3, least=2, most=100, because="at 1 none is left behind", why="the paper's usual 3 or 4"
    )
    first: int = integer(
        1,
        least=1,
        most=100_000,
        because="a rung is a whole number of epochs",
        why="one epoch tells the worst apart",
    )
    surrogate: str = text("random", among=("random", TPE), why="the paper's")

    def sampler(self, seed: int) -> Any:
        return Bayesian().sampler(seed) if self.surrogate == TPE else super().sampler(seed)

    def pruner(self, epochs: int) -> Any:
        import optuna

        return optuna.pruners.SuccessiveHalvingPruner(
            min_resource=self.first, reduction_factor=self.factor
        )


@dataclass(frozen=True, kw_only=True)
class Hyperband(Halving):
    """Several successive halvings beside each other, from eager to patient ones, since nobody knows
    how early a run tells.

    Args:
        factor, first, surrogate: as in `Halving`.

    Example:
        >>> import netwise as nw
        >>> nw.Hyperband().factor
        3

    Source: Li et al. 2017, "Hyperband", arXiv 1603.06560; computed by Optuna.
    """

    def pruner(self, epochs: int) -> Any:
        import optuna

        return optuna.pruners.HyperbandPruner(
            min_resource=self.first,
            max_resource=max(epochs, self.first),
            reduction_factor=self.factor,
        )


@dataclass(frozen=True, kw_only=True)
class CoarseToFine(_Drawing):
    """First few epochs over the whole range, then more epochs in the part of it that was good.

    Each stage draws its share of the trials at random; the next one looks only where the best of it
    lie. Where they lie at the end of an axis, the range itself was wrong: the search says so.

    Args:
        rounds: how many stages. Default 3.
        keep: share of a stage's trials whose range the next one takes. Default 0.25.
        shrink: epochs of a stage are so many times those of the one before; the last one has the
            recipe's. Default 4.0.

    Example:
        >>> import netwise as nw
        >>> method = nw.CoarseToFine(rounds=3)
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-6, 10.0),))
        >>> stage = method.stage(0, space, 30, 20, 0, ())
        >>> stage.trials, stage.epochs
        (17, 1)

    Source: CS231n, "Hyperparameter optimization: from coarse to fine"; note 002, claim H06.
    """

    final_stage_only: ClassVar[bool] = True
    rounds: int = integer(
        3, least=2, most=10, because="one stage is a random search", why="range, place, value"
    )
    keep: float = number(
        0.25,
        above=0,
        most=1,
        because="it is a share of the trials",
        why="a quarter still says where, and not only which",
    )
    shrink: float = number(
        4.0,
        least=1,
        most=1000,
        because="later stages are no shorter",
        why="1, 5, 20 epochs, as the notes have it",
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
        tried: Sequence[TrialRecord],
    ) -> Stage:
        shares = [2.0 ** (self.rounds - 1 - i) for i in range(self.rounds)]
        counts = [max(1, round(trials * share / sum(shares))) for share in shares]
        counts[-1] = max(1, trials - sum(counts[:-1]))
        for before in range(number):
            seen = sorted(
                (t for t in tried if t.stage == before and t.value is not None),
                key=lambda t: -(t.value or 0.0),
            )
            space = narrowed(space, seen[: max(2, math.ceil(self.keep * len(seen)))])
        length = max(1, round(epochs / self.shrink ** (self.rounds - 1 - number)))
        points = [
            _drawn(space, np.random.default_rng(random_streams.seed_of(seed, DRAWS, number, place)))
            for place in range(counts[number])
        ]
        return Stage(space, counts[number], epochs=length, queue=tuple(points))


def narrowed(space: Space, best: Sequence[TrialRecord], least: float = 0.1) -> Space:
    """The part of a space that good trials lie in: of each axis at least a tenth, of choices those
    that were taken."""
    axes = []
    for axis in space.axes:
        values = [trial.point[axis.name] for trial in best if axis.name in trial.point]
        if not values:
            axes.append(axis)
        elif isinstance(axis, Choice):
            left = tuple(option for option in axis.options if option in values)
            axes.append(axis.but(options=left) if len(left) > 1 else axis)
        else:
            axes.append(axis.near(values, least))
    return space.but(axes=tuple(axes))


@dataclass(frozen=True, kw_only=True)
class Population(_Drawing):
    """Population based training: members learn for a while, then the worst go on from the weights
    of the best, with other settings.

    What is found is a schedule of settings as much as a setting. Each generation of a member is a
    run of its own that begins from its parent's weights; the optimizer begins anew with each.

    Args:
        members: of the population, at least 2. Default 8.
        generations: how many; each has its share of the recipe's epochs. Default 5.
        replaced: share of the members that give way. Default 0.25.
        jump: factor by which a setting is changed, up or down; on an axis that is not logarithmic,
            the share of its length. Default 1.2.

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
        because="one has nobody to learn from",
        why="a quarter of it are two",
    )
    generations: int = integer(
        5, least=2, most=1000, because="with one nothing is handed on", why="a few changes in a run"
    )
    replaced: float = number(
        0.25,
        above=0,
        most=0.5,
        because="those replaced take over from as many others",
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
        tried: Sequence[TrialRecord],
    ) -> Stage:
        length = max(1, round(epochs / self.generations))
        rng = np.random.default_rng(random_streams.seed_of(seed, DRAWS, number))
        if number == 0:
            drawn = tuple(_drawn(space, rng) for _ in range(self.members))
            return Stage(space, self.members, length, drawn, (None,) * self.members)
        before = sorted(
            (t for t in tried if t.stage == number - 1),
            key=lambda t: (-(t.value if t.value is not None else -math.inf), t.number),
        )
        before = [t for t in before if t.value is not None and t.folder] or before
        cut = max(1, int(self.replaced * self.members))
        stay = before[: max(1, self.members - cut)]
        queue, parents = [t.point for t in stay], [t.number for t in stay]
        for i in range(self.members - len(stay)):
            parent = before[i % max(1, min(cut, len(before)))]
            queue.append(
                {name: self._moved(space, name, value, rng) for name, value in parent.point.items()}
            )
            parents.append(parent.number)
        return Stage(space, self.members, length, tuple(queue), tuple(parents))

    def _moved(self, space: Space, name: str, value: Any, rng: np.random.Generator) -> Any:
        axis = space.axis(name)
        if not isinstance(axis, NumericAxis):
            return value  # of another kind, weights could not go on
        up = bool(rng.integers(2))
        step = (
            math.log(self.jump) / math.log(axis.high / axis.low)
            if axis.is_logarithmic
            else self.jump - 1
        )
        return axis.value_at(min(1.0, max(0.0, axis.fraction_of(value) + (step if up else -step))))


def _drawn(space: Space, rng: np.random.Generator) -> Point:
    point: Point = {}
    for axis in space.axes:
        share = float(rng.random())
        if axis.is_active(point):
            point[axis.name] = axis.value_at(share)
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
