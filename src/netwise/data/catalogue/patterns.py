"""Patterns of bits without labels: tasks for memories and for models of a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from netwise import random_streams
from netwise.data.dataset import Data, Pairs, Samples
from netwise.data.encoding import ArrayEncoder
from netwise.memory import require_memory
from netwise.part import integer
from netwise.tasks import DENSITY


def unlabelled(x: Tensor, fingerprint: str) -> Samples:
    """All of `x` as the training part, without targets; validation and test part are empty, because
    such sets have few patterns."""
    empty = Pairs(x[:0], torch.zeros(0, 0))
    return Samples(
        Pairs(x, torch.zeros(len(x), 0)),
        empty,
        empty,
        DENSITY,
        (),
        ArrayEncoder(tuple(x.shape[1:])),
        fingerprint,
    )


@dataclass(frozen=True, kw_only=True)
class EncoderProblem(Data):
    """The encoder problem: two groups of units, of which the same one is on in both. A model has to
    encode its index in few hidden units.

    Args:
        units: of each group, which is also the number of patterns, at least 2. Default 4: "4-2-4"
            with two hidden units.

    Example:
        >>> import netwise as nw
        >>> nw.data.encoder_problem(units=2).load().train.x.tolist()
        [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]

    Source: Ackley, Hinton, Sejnowski 1985, section 4.
    """

    kind: ClassVar[str] = "encoder_problem"
    units: int = integer(
        4,
        least=2,
        most=1000,
        because="two patterns are the fewest that differ",
        why="the smallest of the paper's",
    )

    def read(self) -> Samples:
        group = torch.eye(self.units)
        return unlabelled(torch.cat([group, group], 1), f"encoder problem {self.units}")


@dataclass(frozen=True, kw_only=True)
class RandomPatterns(Data):
    """Patterns of independent units that are -1 or 1 with equal chance: the inputs that capacities
    of memories are stated for.

    Args:
        count: patterns, at least 1. Default 10.
        units: numbers in each, at least 2. Default 100.
        seed: of the draw. Default 0.

    Example:
        >>> import netwise as nw
        >>> nw.data.random_patterns(count=3, units=50).load().train.x.unique().tolist()
        [-1.0, 1.0]
    """

    kind: ClassVar[str] = "random_patterns"
    count: int = integer(
        10,
        least=1,
        most=10**6,
        because="they are drawn",
        why="a tenth of the units: below the capacity of Hebb's rule",
    )
    units: int = integer(
        100,
        least=2,
        most=10**5,
        because="a pattern has at least two numbers",
        why="enough to see what theory says",
    )
    seed: int = integer(0, least=0, most=2**31, because="it seeds the draw", why="one draw for all")

    def read(self) -> Samples:
        what = f"patterns of {self.units} units need"
        needed = 12 * self.count * self.units  # drawn as int64, kept as float32
        require_memory(needed, "data.random_patterns", "count", self.count, what, "10")
        drawn = torch.randint(
            2,
            (self.count, self.units),
            generator=random_streams.generator(self.seed, random_streams.DATA),
        )
        return unlabelled(2.0 * drawn - 1, f"random patterns {self.count} {self.units} {self.seed}")
