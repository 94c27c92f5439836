"""Samples that one module makes and another one judges, as in a GAN: whether both play against each
other, and whether the made samples differ from each other as others do.

A judge gives one number for each sample, or for each place of it. Its own loss is one whose
gradient its optimizer steps along; the maker's loss runs through the judge. They play against each
other where the two gradients at the judge's output have opposite signs for made samples.
"""

from __future__ import annotations

import weakref
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from torch import Tensor

from netwise.observe.observed_parts import Root
from netwise.observe.readable import readable

MOST_KEPT = 6  # outputs of modules that are remembered, to know them again as inputs
MOST_CALLS = 64  # of judges, between two steps
MOST_FEATURES = 256  # of a sample, whose spread is read
MARKED = 8  # numbers by which a tensor is known again


@dataclass
class _Call:
    """A call of a judge. `sign` is that of the gradient at its output, 0 before it is known."""

    judge: weakref.ref[Root]
    maker: weakref.ref[Root] | None
    spread: float | None
    number: int = -1  # of the backward pass
    sign: int = 0


class MadeSamples:
    """Follows outputs of modules that are inputs of others, in watched steps."""

    def __init__(self) -> None:
        self._outputs: list[tuple[tuple[object, ...], weakref.ref[Root]]] = []
        self._calls: list[_Call] = []
        self._own: dict[int, int] = {}  # sign of a judge's own loss for made samples, by its id
        self._others: dict[int, float] = {}  # spread of other samples, by id of the judge
        self.running = -1  # number of the backward pass that runs

    def forget(self) -> None:
        """Forget the samples of a step."""
        self._outputs, self._calls = [], []

    def called(self, root: Root, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """A module was called: read whether its input was made by another, and remember its
        output."""
        given = next((t for t in inputs if t.is_floating_point() and t.dim() > 1), None)
        answer = next((t for t in outputs if t.is_floating_point()), None)
        if answer is None:
            return
        if given is not None and _judges(given, answer) and answer.grad_fn is not None:
            self._add(root, given, answer)
        elif answer.dim() > 1:
            mark = _mark(answer)
            if mark is not None:
                self._outputs = [(mark, weakref.ref(root)), *self._outputs[: MOST_KEPT - 1]]

    def _add(self, root: Root, given: Tensor, answer: Tensor) -> None:
        mark = _mark(given)
        maker = next(
            (ref for known, ref in self._outputs if mark is not None and known == mark), None
        )
        if maker is not None and maker() is root:
            return
        call = _Call(weakref.ref(root), maker, _spread(given))
        self._calls = [*self._calls[1 - MOST_CALLS :], call]
        node, place = answer.grad_fn, answer.output_nr
        assert node is not None

        def read(gradients: tuple[Tensor | None, ...]) -> None:
            gradient = gradients[place] if place < len(gradients) else None
            values = None if gradient is None or self.running < 0 else readable(gradient)
            if values is not None:
                total = float(values.sum())
                call.number, call.sign = self.running, (total > 0) - (total < 0)

        node.register_prehook(read)  # it gives nothing back, and lives as long as the graph

    def step(self, roots: Collection[Root], numbers: Collection[int]) -> None:
        """An optimizer has stepped.

        Args:
            roots: the modules that it updates.
            numbers: of the backward passes in the step.
        """
        for call in [each for each in self._calls if each.number in numbers]:
            judge, maker = call.judge(), None if call.maker is None else call.maker()
            if judge is None:
                continue
            if judge in roots:
                if call.maker is None and call.spread is not None:
                    self._others[id(judge)] = call.spread
                elif maker is not None and maker not in roots:
                    self._own_loss(judge, call, numbers)
            elif maker is not None and maker in roots:
                self._makers_loss(judge, maker, call)
        self._calls = [each for each in self._calls if each.number not in numbers]

    def _own_loss(self, judge: Root, call: _Call, numbers: Collection[int]) -> None:
        """The judge's own loss of made samples; of others it has the opposite direction."""
        others = {
            each.sign
            for each in self._calls
            if each.judge() is judge and each.maker is None and each.number in numbers
        }
        self._own[id(judge)] = call.sign if others == {-call.sign} else 0

    def _makers_loss(self, judge: Root, maker: Root, call: _Call) -> None:
        own = self._own.get(id(judge), 0)
        if own and call.sign:
            maker.game.compared += 1
            maker.game.alike += own == call.sign
        others = self._others.get(id(judge))
        if others and call.spread is not None:
            maker.game.spreads.append(call.spread / others)


def _judges(given: Tensor, answer: Tensor) -> bool:
    """Whether there is one answer for each sample, or for each place of it."""
    shape, samples = tuple(answer.shape), given.shape[0]
    if not shape or shape[0] != samples or samples < 2 or given.numel() == answer.numel():
        return False
    return len(shape) == 1 or shape[1] == 1


def _mark(tensor: Tensor) -> tuple[object, ...] | None:
    """What a tensor and its detached alias have in common, and others do not."""
    values = readable(tensor)
    if values is None or not values.numel():
        return None
    some = (
        values.reshape(-1)[:MARKED] if values.is_contiguous() else values[:1].reshape(-1)[:MARKED]
    )
    return (values.data_ptr(), tuple(values.shape), *some.tolist())


def _spread(samples: Tensor) -> float | None:
    """Mean over features of the standard deviation over samples."""
    values = readable(samples)
    if values is None:
        return None
    rows = values.flatten(1)
    rows = rows[:, :: max(1, rows.shape[1] // MOST_FEATURES)]
    return float(rows.float().std(0).mean())
