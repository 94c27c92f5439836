"""Any optimizer class of torch, by its name."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from netwise.errors import Problem, close_matches
from netwise.part import number, text, texts
from netwise.parts.optimizers.optimizer import LR, Optimizer, Parameters, ParameterState


def _known() -> list[str]:
    kinds = vars(torch.optim).items()
    return sorted(
        name
        for name, cls in kinds
        if isinstance(cls, type)
        and issubclass(cls, torch.optim.Optimizer)
        and cls is not torch.optim.Optimizer
    )


@dataclass(frozen=True, kw_only=True)
class TorchOptimizer(Optimizer):
    """An optimizer of `torch.optim` that has no part of its own here.

    Args:
        name: its class in `torch.optim`. Default "ASGD".
        lr: learning rate, above 0. Default 0.01.
        arguments: its other arguments, each as "name=value". Default none.

    Raises:
        WrongValue: torch has no such optimizer, or it takes no such argument.

    Example:
        >>> import netwise as nw, torch
        >>> w = torch.zeros(2, requires_grad=True)
        >>> type(nw.TorchOptimizer(name="Rprop", arguments=("etas=(0.5, 1.2)",)).build([w])).__name__
        'Rprop'
    """

    name: str = text(
        "ASGD", because="it names a class of torch.optim", why="one that has no part of its own"
    )
    lr: float = number(0.01, above=0, because=LR, why="torch's usual value")
    arguments: tuple[str, ...] = texts((), because="each is name=value", why="torch's defaults")

    def conflicts(self) -> list[Problem]:
        known = _known()
        if self.name not in known:
            close = close_matches(self.name, known)
            return [
                Problem(
                    "name",
                    self.name,
                    "is no optimizer of torch. "
                    + (f"Did you mean {close}?" if close else f"There are: {', '.join(known)}."),
                )
            ]
        try:
            self.build([torch.zeros(2, 2, requires_grad=True)])
        except (TypeError, ValueError, SyntaxError) as error:
            return [
                Problem(
                    "arguments",
                    str(list(self.arguments)),
                    f"do not suit torch's {self.name}: {error}",
                )
            ]
        return []

    def _given(self) -> dict[str, Any]:
        pairs = [setting.partition("=") for setting in self.arguments]
        return {name.strip(): ast.literal_eval(value.strip()) for name, _, value in pairs}

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        made: torch.optim.Optimizer = getattr(torch.optim, self.name)(
            parameters, lr=self.lr, **self._given()
        )
        return made

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        raise TypeError(f"{self.name} is known by its torch object only: use build(parameters)")
