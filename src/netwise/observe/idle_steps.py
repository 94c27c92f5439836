"""Optimizers whose steps change nothing: a loss is propagated between them, and none of their
parameters ever has a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from netwise.observe.gradient_ledger import BackwardPass
from netwise.observe.idle_passes import some_numbers
from netwise.observe.model_table import ModelTable
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import OptimizerAccount, Root

FEWEST = 3  # watched steps; of a later optimizer few are
FEWEST_MADE = 8  # steps


@dataclass
class _Steps:
    """Watched steps of an optimizer, and the modules that the losses between them reach."""

    tick: int
    roots: frozenset[Root] = frozenset()
    numbers: list[float] = field(default_factory=list)
    names: tuple[str, ...] = ()
    count: int = 0
    is_used: bool = False  # a parameter had a gradient, or what the losses reach is trained


class IdleSteps:
    """Counts them for each optimizer."""

    def __init__(self) -> None:
        self._steps: dict[OptimizerAccount, _Steps] = {}

    def add(
        self, account: OptimizerAccount, passes: Sequence[BackwardPass], table: ModelTable
    ) -> None:
        """Count a watched step that has just been done.

        Args:
            account: of its optimizer.
            passes: backward passes since its step before.
            table: the modules and optimizers that are known.
        """
        known = self._steps.get(account)
        if known is None:  # its first step: passes before it may be of other optimizers
            self._steps[account] = _Steps(account.last_tick)
            return
        before, known.tick = known.tick, account.last_tick
        if known.is_used or not account.complete or not passes:
            return
        parameters = list(account.parameters())
        known.is_used = (
            not account.trainable_ids
            or any(account.at_step.values())
            or any(p.grad is not None for p in parameters)
            or any(p.opaque or not p.complete or p.reached & account.ids for p in passes)
            or any(p.asks_inputs or p.outside_tensors for p in passes)
            # Another one trains in turn with it: its parameters may be needed later.
            or any(
                each.last_tick > before and (of is None or of.is_used)
                for each in table.accounts.values()
                if each is not account
                for of in [self._steps.get(each)]
            )
        )
        roots = frozenset(
            root
            for each in passes
            for root in table.roots.values()
            if root in each.roots or id(root.module) in each.modules
        )
        if known.is_used or not roots:
            return
        if not known.count:
            known.roots, known.numbers = roots, some_numbers(roots)
            known.names = _names(parameters, roots)
        known.is_used = known.roots != roots or some_numbers(known.roots) != known.numbers
        known.count += 1

    def found(self, model: ObservedModel) -> tuple[tuple[str, ...], int]:
        """Names of the parameters of such an optimizer, while losses reached a model of others; and
        how many steps it took. () and 0 without one."""
        for account, each in self._steps.items():
            idle = each.count >= FEWEST and account.made >= FEWEST_MADE and not each.is_used
            late = any(p.grad is not None for p in account.parameters())
            if idle and not late and each.roots & set(model.roots):
                return each.names, account.made
        return (), 0


def _names(parameters: Sequence[Tensor], roots: frozenset[Root]) -> tuple[str, ...]:
    """Where parameters are in modules; the shapes of those that are in none."""
    modules = [module for module in (root.module for root in roots) if module is not None]
    names = {id(p): name for module in modules for name, p in module.named_parameters()}
    return tuple(names.get(id(p), f"of shape {tuple(p.shape)}") for p in parameters)
