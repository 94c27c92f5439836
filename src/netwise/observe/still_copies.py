"""Copies of a network that a program calls again and again while the network is trained, and that
stay as the network was drawn: averages and target networks that nothing updates."""

from __future__ import annotations

from dataclasses import dataclass, field

from netwise.observe.fresh_weights import drawn_by_torch
from netwise.observe.idle_passes import some_numbers
from netwise.observe.model_table import ModelTable
from netwise.observe.observed_parts import Root

FEWEST = 3  # calls at different steps
# Steps of the network that it is a copy of. One that is called in most steps may be a target
# network, which is updated every few hundred of them.
OF_AVERAGES, OF_TARGETS = 20, 200
READ_ALL = 16  # calls that are all read; later every such one


@dataclass
class _Uses:
    """Calls of a module at different steps.

    Args:
        first: the step of the first one.
        last: of the last one.
        still: the last step at which the weights were looked at.
        count: steps at which it was called.
        original: the module whose weights before training it has; None where there is none.
        moved: that module has changed since.
        is_updated: so has this one.
    """

    first: int
    last: int = -1
    still: int = -1
    count: int = 0
    original: Root | None = None
    moved: bool = False
    is_updated: bool = False


@dataclass
class StillCopies:
    """Compares modules with what others were before their first pass of training."""

    starts: dict[Root, list[float]] = field(default_factory=dict)  # of trained modules
    _uses: dict[Root, _Uses] = field(default_factory=dict)

    def pass_begins(self, root: Root) -> None:
        """A pass with gradients begins: keep some numbers of the weights before the first one."""
        if root not in self.starts:
            self.starts[root] = some_numbers([root])

    def called(self, root: Root, step: int) -> None:
        """A module has returned. Of many calls some are read.

        Args:
            root: it.
            step: steps that were taken before.
        """
        uses = self._uses.setdefault(root, _Uses(step))
        if step == uses.last:
            return
        uses.last, uses.count = step, uses.count + 1
        if uses.count <= READ_ALL or uses.count % READ_ALL == 0:
            self._read(root, uses, step)

    def _read(self, root: Root, uses: _Uses, step: int) -> None:
        if uses.is_updated or (uses.original is None and uses.count > FEWEST):
            return
        module, numbers = root.module, some_numbers([root])
        if module is None or not numbers:
            return
        if uses.original is None:
            others = (other for other in self.starts if other is not root)
            found = next((o for o in others if self.starts[o] == numbers), None)
            uses.original = found if found is not None and drawn_by_torch(module) else None
        original = uses.original
        if original is None:
            return
        if self.starts[original] != numbers:
            uses.original, uses.is_updated = None, True
        elif original.module is not None:
            uses.still = step
            uses.moved |= some_numbers([original]) != numbers

    def asked(self, table: ModelTable) -> bool:
        """Whether a module that is not trained is called in most steps, as a target network."""
        steps = max((model.cycles for model in table.models), default=0)  # watched
        trained = {root for model in table.models for root in model.roots}
        counts = [uses.count for root, uses in self._uses.items() if root not in trained]
        return steps > 0 and max(counts, default=0) > steps / 2

    def found(self, table: ModelTable) -> tuple[str, ...]:
        """Class of each such copy, and how many steps the network has taken meanwhile."""
        models = {root: model for model in table.models for root in model.roots}
        found = []
        for root, uses in self._uses.items():
            model = None if uses.original is None else models.get(uses.original)
            if model is None or root in models or not uses.moved or uses.count < FEWEST:
                continue
            steps = model.steps
            fewest = OF_TARGETS if uses.count > steps / 2 else OF_AVERAGES
            if steps >= fewest and uses.still - uses.first >= steps / 2:
                found.append(f"{root.name}: {steps}")
        return tuple(found)
