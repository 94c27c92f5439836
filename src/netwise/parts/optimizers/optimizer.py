"""The interface of optimizers, and a torch optimizer whose steps follow a part's formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from netwise.errors import interface_error
from netwise.part import Part

ParameterState = dict[str, Tensor]  # an optimizer's state of one parameter
Parameters = list[Tensor] | list[dict[str, Any]]  # or parameter groups, as in torch
LR = "a negative step climbs"
FORGETS = "at 1 the average never changes"
FINITE = "it keeps a division finite"
DECAY = "a negative decay increases weights"


class Optimizer(Part):
    """Interface of optimizers: a learning rate, an object of torch, and the rule as a formula.

    Attributes:
        needs_closure: a step computes the loss several times (L-BFGS, annealing), so `step` of the
            torch object takes a function that does.

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
        """The torch optimizer of these parameters, with fused kernels where torch has them."""
        raise interface_error(self, "Adam()")

    def init(self, w: Tensor) -> ParameterState:
        """The state of the parameter `w` before the first step."""
        return {}

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        """One step, without changes in place.

        Args:
            w: the parameter.
            g: the gradient of the loss by `w`, of the same shape.
            state: of `init`, or of the step before.
            t: number of the step, from 1.
            lr: learning rate of this step; None: the optimizer's own.

        Returns:
            (new w, new state).
        """
        raise interface_error(self, "Adam()")

    def group_settings(self, epoch: float) -> Mapping[str, float]:
        """Settings of the optimizer's parameter groups that change at the start of `epoch`, except
        the learning rate; none by default."""
        return {}


class FormulaOptimizer(torch.optim.Optimizer):
    """A torch optimizer whose steps follow a part's formula: for rules that torch lacks."""

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
        assert p.grad is not None
        own = {name: value for name, value in state.items() if name != "t"}
        new_p, new_state = self.formula_step(p, p.grad, own, int(state["t"]), group)
        p.copy_(new_p)
        state.update(new_state)

    def formula_step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, group: dict[str, Any]
    ) -> tuple[Tensor, ParameterState]:
        """A step of the rule, with the current settings of the parameter group."""
        return self.rule.step(w, g, state, t, group["lr"])
