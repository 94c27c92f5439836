"""Modules that a program evaluates in the place of the one that it trains: new ones with weights as
they were drawn, and averages that have not followed it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from netwise.observe.fresh_weights import drawn_by_torch
from netwise.observe.idle_passes import some_numbers
from netwise.observe.model_table import ModelTable
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import Root
from netwise.observe.still_copies import StillCopies

FEWEST_STEPS = 20  # of training, after which a module is no longer as it was drawn
FEWEST_STATES = 3  # of an average, at different evaluations
READ_ALL = 16  # evaluations that are all read; later every such one
SAME_WAY = 0.5  # cosine of the ways of an average and of the trained module
ANEW = 0.5  # distance from the start of the trained module over its size: steps go less far
LATE = 0.9  # of the steps: an evaluation of the end


@dataclass
class _Evaluated:
    """Evaluations of a module at different steps.

    Args:
        shapes: of its parameters.
        first, last: steps at which it was evaluated.
        count: how many.
        is_fresh: its weights were as torch draws them each time.
        numbers: some of them, at the last time.
        states: different numbers that were seen.
        of: a module of the same shapes that is trained.
        gone: the way of that one up to then.
    """

    shapes: tuple[tuple[int, ...], ...]
    first: int
    last: int = -1
    count: int = 0
    is_fresh: bool = True
    numbers: list[float] = field(default_factory=list)
    states: int = 0
    of: Root | None = None
    gone: list[float] = field(default_factory=list)


@dataclass
class EvaluatedModules:
    """Notes which modules are evaluated, and how their weights are then.

    Args:
        copies: knows what trained modules were at their start.
    """

    copies: StillCopies
    _seen: dict[Root, _Evaluated] = field(default_factory=dict)

    def evaluated(self, root: Root, table: ModelTable) -> None:
        """A module was called in an evaluation.

        Args:
            root: it.
            table: of all modules.
        """
        step, starts = table.steps, self.copies.starts
        known = self._seen.setdefault(root, _Evaluated(tuple(root.shapes.values()), step))
        if step == known.last:
            return
        known.last, known.count = step, known.count + 1
        if step and (known.count <= READ_ALL or known.count % READ_ALL == 0):
            if known.of is None:
                known.of = _trained_like(root, known.shapes, table, starts)
            self._read(root, known, starts)

    @staticmethod
    def _read(root: Root, known: _Evaluated, starts: Mapping[Root, Sequence[float]]) -> None:
        module, of = root.module, known.of
        if module is None:
            return
        numbers = some_numbers([root])
        if of is not None and of.module is not None:
            known.gone = [b - a for a, b in zip(starts[of], some_numbers([of]), strict=False)]
        known.states += numbers != known.numbers
        known.numbers = numbers
        known.is_fresh = known.is_fresh and drawn_by_torch(module)

    def found(self, table: ModelTable) -> dict[str, tuple[str, str, float]]:
        """For each model the class of an untrained module, the class of an average that is
        evaluated in its place, and the share of the way that the average has gone."""
        return {
            model.name: (self._fresh(model, table), *self._lagging(model, table))
            for model in table.models
        }

    def _fresh(self, model: ObservedModel, table: ModelTable) -> str:
        """The class of a module of the same shapes that is evaluated in the place of the trained
        one at the end, with weights as they were drawn; "" without one."""
        steps, others = table.steps, self._others(model, table)
        if model.steps < FEWEST_STEPS or not others:
            return ""
        at_end = [root for root, each in others.items() if each.first >= steps]
        trained = (self._seen[root].last for root in model.roots if root in self._seen)
        if not at_end or max(trained, default=-1) >= steps:
            return ""
        starts = [self.copies.starts[root] for root in model.roots if root in self.copies.starts]
        new = all(
            each.is_fresh and any(_is_drawn_anew(each.numbers, start) for start in starts)
            for each in (others[root] for root in at_end)
        )
        return at_end[0].name if new else ""

    def _lagging(self, model: ObservedModel, table: ModelTable) -> tuple[str, float]:
        """The class of an average of the model's weights that is evaluated, and its share of the
        way that these have gone; ("", 1.0) without one."""
        starts = self.copies.starts
        for root, each in self._others(model, table).items():
            start = starts.get(each.of) if each.of is not None else None
            if start is None or each.of not in model.roots or each.states < FEWEST_STATES:
                continue
            if each.count > model.steps / 2 or each.last < LATE * table.steps:
                continue
            if not len(start) == len(each.numbers) == len(each.gone):
                continue
            length = math.hypot(*each.gone)
            way = [b - a for a, b in zip(start, each.numbers, strict=True)]
            size = math.hypot(*way)
            along = sum(w * g for w, g in zip(way, each.gone, strict=True)) / max(length, 1e-30)
            if 0 < size < length and along > SAME_WAY * size:
                return root.name, along / length
        return "", 1.0

    def _others(self, model: ObservedModel, table: ModelTable) -> dict[Root, _Evaluated]:
        """Evaluated modules of the shapes of the trained one that are not trained themselves."""
        trained = {root for each in table.models for root in each.roots}
        shapes = {tuple(root.shapes.values()) for root in model.roots}
        return {
            root: each
            for root, each in self._seen.items()
            if root not in trained and each.shapes in shapes and each.shapes
        }


def _is_drawn_anew(numbers: Sequence[float], start: Sequence[float]) -> bool:
    """Whether weights are other ones than those that a module started from and moved a little, or
    these themselves, drawn with the same seed."""
    if len(numbers) != len(start):
        return False
    distance = math.dist(numbers, start)
    size = math.hypot(*start)
    return distance == 0 or distance > ANEW * size


def _trained_like(
    root: Root,
    shapes: tuple[tuple[int, ...], ...],
    table: ModelTable,
    starts: Mapping[Root, Sequence[float]],
) -> Root | None:
    """A module of these shapes that has had a pass of training."""
    return next(
        (
            each
            for each in table.roots.values()
            if each is not root and each in starts and tuple(each.shapes.values()) == shapes
        ),
        None,
    )
