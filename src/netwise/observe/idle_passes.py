"""Backward passes whose gradients nothing uses: they reach weights that no optimizer holds and that
stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.observe.fresh_weights import drawn_by_torch, looks_fresh
from netwise.observe.gradient_ledger import BackwardPass
from netwise.observe.model_table import ModelTable
from netwise.observe.observed_parts import Root
from netwise.observe.readable import readable

FEWEST = 5  # passes from one place
SOME = 4  # numbers of each weight, by which a change is seen
MOST_PLACES = 32
NEAR = 0.7  # distance over the norm: of two independent draws 1.4


@dataclass
class _Place:
    roots: list[Root]
    numbers: list[float]
    count: int = 0
    is_used: bool = False
    is_new: bool = False  # weights as drawn, of no copy, in training mode


class IdlePasses:
    """Counts them by their place in the program."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._unheld: dict[int, _Place] = {}  # modules that a loss reaches, by id

    def add(self, entry: BackwardPass, table: ModelTable) -> None:
        """Count a watched pass, once an optimizer has stepped."""
        if not table.accounts or entry.opaque or not entry.complete or not entry.reached:
            return
        self._add_modules(entry, table)
        place = self._places.get(entry.place)
        is_held = any(entry.reached & account.ids for account in table.accounts.values())
        roots = [r for r in table.roots.values() if entry.reached & r.parameters.keys()]
        known = {key for root in roots for key in root.parameters}
        if is_held or not entry.reached <= known:
            if place is not None:
                place.is_used = True
            return
        if place is None:
            if len(self._places) < MOST_PLACES:
                self._places[entry.place] = _Place(roots, some_numbers(roots), count=1)
            return
        place.count += 1
        place.is_used |= some_numbers(place.roots) != place.numbers

    def _add_modules(self, entry: BackwardPass, table: ModelTable) -> None:
        """Note which of the modules that a loss reaches no optimizer holds."""
        held = {key for account in table.accounts.values() for key in account.ids}
        for root in table.roots.values():
            known = self._unheld.get(id(root))
            if not root.parameters.keys() & entry.reached:
                continue
            if root.parameters.keys() & held:
                if known is not None:
                    known.is_used = True
            elif known is None:
                is_new = _as_drawn(root) and not any(
                    _is_copy(root, each) for each in table.roots.values() if each is not root
                )
                self._unheld[id(root)] = _Place(
                    [root], some_numbers([root]), count=1, is_new=is_new
                )
            else:
                known.count += 1
                known.is_used |= some_numbers([root]) != known.numbers

    def shared(self, table: ModelTable) -> tuple[str, str]:
        """Classes of a module whose weights two optimizers hold that step in turn, and of one that
        a loss reaches and none holds; ("", "") without both."""
        accounts = [a for a in table.accounts.values() if a.made >= FEWEST and a.ids]
        pairs = [(a, b) for a in accounts for b in accounts if a is not b and a.ids == b.ids]
        twice = next(
            (a for a, b in pairs if abs(a.last_tick - b.last_tick) <= len(table.accounts)), None
        )
        left = next(
            (p.roots[0].name for p in self._unheld.values() if p.count >= FEWEST and not p.is_used),
            "",
        )
        if twice is None or not left:
            return "", ""
        model = table.model_known(twice)
        return (model.modules if model is not None else "one module"), left

    def left_out(self, table: ModelTable) -> tuple[str, ...]:
        """Classes of modules that a loss reaches in training mode and no optimizer ever holds, with
        weights that are as they were drawn and stay so: not those of teachers, copies and features
        that were trained before."""
        taken = {id(root) for model in table.models for root in model.roots}
        return tuple(
            place.roots[0].name
            for place in self._unheld.values()
            if place.is_new
            and place.count >= FEWEST
            and not place.is_used
            and id(place.roots[0]) not in taken
        )

    @property
    def found(self) -> tuple[str, ...]:
        """Places of such passes, each with the classes of the modules that it reaches."""
        return tuple(
            f"{place}: {' and '.join(root.name for root in each.roots)}"
            for place, each in self._places.items()
            if each.count >= FEWEST and not each.is_used
        )


def _as_drawn(root: Root) -> bool:
    """Whether a module is in training mode and its largest matrix is as torch draws them."""
    module = root.module
    if module is None or not module.training:
        return False
    matrices = [p for p in module.parameters() if p.requires_grad and p.dim() > 1]
    if not matrices:
        return False
    return drawn_by_torch(module) or looks_fresh(max(matrices, key=lambda p: p.numel()))


def _is_copy(root: Root, other: Root) -> bool:
    """Whether one module was copied from the other, and then trained for some steps at most."""
    first, second = root.module, other.module
    if first is None or second is None:
        return False
    pairs = zip(first.parameters(), second.parameters(), strict=False)
    alike = [(a.detach(), b.detach()) for a, b in pairs if a.dim() > 1 and a.shape == b.shape]
    return any(float((a - b).norm()) < NEAR * float(a.norm()) for a, b in alike)


def some_numbers(roots: Iterable[Root]) -> list[float]:
    """Some numbers of each weight, in one transfer for each device."""
    parts: dict[torch.device, list[Tensor]] = {}
    for root in roots:
        module = root.module
        for parameter in () if module is None else module.parameters():
            values = readable(parameter)
            if values is not None and values.is_floating_point():
                few = values.reshape(-1)[:SOME]
                kind = few.dtype if few.dtype == torch.float64 else torch.float32
                parts.setdefault(few.device, []).append(few.to(kind))
    return [number for few in parts.values() for number in torch.cat(few).tolist()]
