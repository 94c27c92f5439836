"""States of random generators between evaluations, where the program draws numbers in its training
steps: whether each epoch begins with the same state, and so repeats the numbers of the last."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass

import torch

FEWEST_STEPS = 3  # between two evaluations that are compared
NAMES = {"torch": "torch", "numpy": "numpy.random", "random": "random"}


@dataclass
class _Generator:
    """States of one generator after evaluations.

    Args:
        state: the last one.
        drawn: a state between two evaluations differed from it.
        repeats: how often in a row the state was the same as before, with draws between.
    """

    state: int | None = None
    drawn: bool = False
    repeats: int = 0


class RandomStates:
    """Compares states; it draws no number."""

    def __init__(self) -> None:
        self._generators = {name: _Generator() for name in NAMES}
        self._last = -1

    def training_goes_on(self, steps: int) -> None:
        """The first pass with gradients after an evaluation begins.

        Args:
            steps: that were taken.
        """
        if steps < self._last + FEWEST_STEPS:
            return
        self._last = steps
        for name, generator in self._generators.items():
            state = _state(name)
            if state is None:
                continue
            if generator.state == state:
                generator.repeats += generator.drawn
            else:
                generator.repeats = 0
            generator.state, generator.drawn = state, False

    def step_ends(self) -> None:
        """A watched step is over."""
        for name, generator in self._generators.items():
            if generator.state is not None and not generator.drawn:
                generator.drawn = _state(name) != generator.state

    @property
    def repeated(self) -> tuple[str, int]:
        """The generator that has repeated its numbers most often, and how often; ("", 0) without
        one."""
        name, found = max(self._generators.items(), key=lambda each: each[1].repeats)
        return (NAMES[name], found.repeats) if found.repeats else ("", 0)


def _state(name: str) -> int | None:
    if name == "torch":
        return hash(bytes(torch.get_rng_state().numpy().data))
    if name == "random":
        return hash(random.getstate())
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "random"):
        return None
    kind, keys, place, *rest = numpy.random.get_state()
    return hash((kind, keys.tobytes(), place, *rest))
