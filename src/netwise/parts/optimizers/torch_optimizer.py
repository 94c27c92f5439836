"""Any optimizer class of `torch.optim`, by name."""

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


def _require_arguments(kind: type[torch.optim.Optimizer], lr: float, arguments: Any) -> None:
    """Let the constructor of an optimizer check its arguments.

    `add_param_group` of torch imports its compiler, which takes seconds and is of no use here.

    Raises:
        TypeError, ValueError: it does not take them.
    """

    def add_param_group(self: Any, group: dict[str, Any]) -> None:
        self.param_groups.append({**self.defaults, **group})

    checked = type(kind.__name__, (kind,), {"add_param_group": add_param_group})
    checked([torch.zeros(2, 2, requires_grad=True)], lr=lr, **arguments)


@dataclass(frozen=True, kw_only=True)
class TorchOptimizer(Optimizer):
    """An optimizer of `torch.optim` that has no class in netwise.

    Args:
        name: its class in `torch.optim`. Default "ASGD".
        lr: learning rate, above 0. Default 0.01.
        arguments: its other arguments, each as "name=value". Default none.

    Raises:
        WrongValue: torch has no such optimizer, or it does not take the arguments.

    Example:
        >>> import netwise as nw, torch
        >>> w = torch.zeros(2, requires_grad=True)
        >>> rule = nw.TorchOptimizer(name="Rprop", arguments=("etas=(0.5, 1.2)",))
        >>> type(rule.build([w])).__name__
        'Rprop'
    """

    name: str = text(
        "ASGD", because="it names a class of torch.optim", why="one that has no class in netwise"
    )
    lr: float = number(0.01, above=0, because=LR, why="torch's usual value")
    arguments: tuple[str, ...] = texts((), because="each is name=value", why="torch's defaults")

    def conflicts(self) -> list[Problem]:
        known = _known()
        if self.name not in known:
            close = close_matches(self.name, known)
            hint = f"Did you mean {close}?" if close else f"There are: {', '.join(known)}."
            return [Problem("name", self.name, f"is no optimizer of torch. {hint}")]
        try:
            _require_arguments(getattr(torch.optim, self.name), self.lr, self._keyword_arguments())
        except Exception as error:  # each class of torch refuses arguments in its own way
            reason = (
                f"are not arguments of torch's {self.name} ({error}):"
                f" write those of its documentation, each as name=value"
            )
            return [Problem("arguments", str(list(self.arguments)), reason)]
        return []

    def _keyword_arguments(self) -> dict[str, Any]:
        pairs = [setting.partition("=") for setting in self.arguments]
        return {name.strip(): ast.literal_eval(value.strip()) for name, _, value in pairs}

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        optimizer: torch.optim.Optimizer = getattr(torch.optim, self.name)(
            parameters, lr=self.lr, **self._keyword_arguments()
        )
        return optimizer

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        raise TypeError(f"{self.name} has no formula in netwise: use build(parameters)")
