"""What every optimizer has, and the torch object that takes steps by a part's own formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from netwise.errors import interface_error
from netwise.part import Part

ParameterState = dict[str, Tensor]  # what a rule remembers of one parameter
Parameters = list[Tensor] | list[dict[str, Any]]  # or groups of them, as torch takes them
LR = "a negative step climbs"
FORGETS = "at 1 nothing new is learned"
FINITE = "it keeps a division finite"
DECAY = "a negative decay grows weights"


class Optimizer(Part):
    """What every optimizer has: a learning rate, torch's object, and the rule as a formula.

    Attributes:
        needs_closure: a step computes the loss more than once (L-BFGS, annealing), so it is given a
            function for it.

    Example:
        >>> import netwise as nw, torch
        >>> rule, w = nw.SGD(lr=0.5), torch.tensor([1.0])
        >>> rule.step(w, torch.tensor([1.0]), rule.init(w), t=1)[0].item()
        0.5
    """

    family_name: ClassVar[str] = "optimizer"
    needs_closure: ClassVar[bool] = False
    lr: float

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        """torch's object over these parameters, with fused kernels where torch has them."""
        raise interface_error(self, "Adam()")

    def init(self, w: Tensor) -> ParameterState:
        """What the rule remembers of the parameter `w` before the first step."""
        return {}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        """(new w, new state) after step number `t` (from 1) with gradient `g`; nothing is changed
        in place."""
        raise interface_error(self, "Adam()")

    def group_settings(self, epoch: float) -> Mapping[str, float]:
        """What changes in the optimizer's groups when `epoch` begins, beside the rate; nothing by
        default."""
        return {}


class FormulaOptimizer(torch.optim.Optimizer):
    """A torch optimizer whose step is a part's own formula: for the rules that torch does not
    have."""

    def __init__(self, parameters: Parameters, rule: Optimizer, **settings: float) -> None:
        super().__init__(parameters, {"lr": rule.lr, **settings})
        self.rule = rule

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._move(p, group)
        return None

    def _move(self, p: Tensor, group: dict[str, Any]) -> None:
        state = self.state[p]
        if not state:
            state.update(self.rule.init(p), t=torch.zeros((), dtype=torch.float64))
        state["t"] += 1
        rest = {name: value for name, value in state.items() if name != "t"}
        new, after = self.taken(p, p.grad, rest, int(state["t"]), group)  # type: ignore[arg-type]
        p.copy_(new)
        state.update(after)

    def taken(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, group: dict[str, Any]
    ) -> tuple[Tensor, ParameterState]:
        """The rule's step, with the rate that the group has now."""
        return self.rule.step(w, g, state, t, group["lr"])
