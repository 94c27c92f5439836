"""Optimizers that compute the loss several times a step: L-BFGS, and simulated annealing, which
needs no gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from netwise.part import integer, number
from netwise.parts.optimizers.optimizer import LR, Optimizer, Parameters, ParameterState


@dataclass(frozen=True, kw_only=True)
class LBFGS(Optimizer):
    """L-BFGS: a quasi-Newton method that estimates curvature from past gradients. For full-batch
    training of small networks.

    Set the recipe's `batch_size` to the number of samples: with mini-batches the loss changes from
    batch to batch, and the estimate of the curvature is wrong.

    Args:
        lr: factor on each step, above 0. Default 1.0.
        iterations: per step, at least 1. Default 20.
        history: number of gradients to store, at least 1. Default 100.

    Example:
        >>> import netwise as nw
        >>> nw.LBFGS().needs_closure
        True

    Source: Nocedal 1980; torch's `LBFGS` with its strong Wolfe line search.
    """

    needs_closure: ClassVar[bool] = True
    lr: float = number(1.0, above=0, because=LR, why="the curvature gives the size of the step")
    iterations: int = integer(20, least=1, because="a step needs an iteration", why="torch's value")
    history: int = integer(
        100, least=1, because="curvature needs a stored gradient", why="torch's value"
    )

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return torch.optim.LBFGS(
            _flat(parameters),
            lr=self.lr,
            max_iter=self.iterations,
            history_size=self.history,
            line_search_fn="strong_wolfe",
        )

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        raise TypeError(
            "LBFGS has no formula of one gradient: it computes the loss several times a step. Use"
            " build(parameters)"
        )


@dataclass(frozen=True, kw_only=True)
class SimulatedAnnealing(Optimizer):
    """Simulated annealing of the weights: random moves, accepted if they lower the loss, and with a
    probability that falls with the temperature otherwise.

        w' = w + lr * N(0, 1),    T = temperature * cooling^t
        accepted with probability min(1, exp(-(C(w') - C(w)) / T))

    Uses no gradient. Slow: for networks of some hundred weights. The recipe's schedule applies to
    `lr`. Set the recipe's `batch_size` to the number of samples.

    Args:
        lr: standard deviation of a move, above 0. Default 0.05.
        temperature: at the first step, at least 0. Default 0.01; 0 accepts improvements only.
        cooling: factor on the temperature per move, above 0 and at most 1. Default 0.999.
        tries: moves per step, at least 1. Default 10.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(
        ...     data=nw.data.iris(), preprocess=(nw.Standardise(),), network=nw.MLP((4, 3)),
        ...     batch_size=200, optimizer=nw.SimulatedAnnealing(), epochs=100,
        ... )
        >>> nw.fit(recipe).score.value > 0.8
        True

    Source: Kirkpatrick, Gelatt, Vecchi 1983, Science 220.
    """

    needs_closure: ClassVar[bool] = True
    lr: float = number(
        0.05, above=0, because="a move has a size", why="small compared with initial weights"
    )
    temperature: float = number(
        0.01,
        least=0,
        because="0 is the lowest temperature",
        why="accepts a loss higher by 0.01 every third time",
    )
    cooling: float = number(
        0.999,
        above=0,
        most=1,
        because="a temperature falls",
        why="near 0 after some thousand moves",
    )
    tries: int = integer(
        10, least=1, because="a step tries at least one move", why="most steps then accept a move"
    )

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        return _Annealer(parameters, self)

    def step(
        self, w: Tensor, g: Tensor, state: ParameterState, t: int, lr: float | None = None
    ) -> tuple[Tensor, ParameterState]:
        raise TypeError(
            "SimulatedAnnealing has no formula of one gradient: it compares losses. Use"
            " build(parameters)"
        )


class _Annealer(torch.optim.Optimizer):
    """Draws from torch's global generator, which training seeds and saves."""

    def __init__(self, parameters: Parameters, rule: SimulatedAnnealing) -> None:
        super().__init__(parameters, {"lr": rule.lr})
        self.rule = rule

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        if closure is None:
            raise ValueError(
                "step() got no closure, and SimulatedAnnealing compares losses: pass a function"
                " that computes the loss"
            )
        group = self.param_groups[0]
        weights: list[Tensor] = [p for each in self.param_groups for p in each["params"]]
        state = self.state[weights[0]]
        state.setdefault("t", torch.zeros((), dtype=torch.float64))
        first = now = float(closure())
        for _ in range(self.rule.tries):
            temperature = self.rule.temperature * self.rule.cooling ** float(state["t"])
            before = [p.clone() for p in weights]
            for p in weights:
                p.add_(torch.randn_like(p), alpha=group["lr"])
            moved = float(closure())
            rise = moved - now
            accepted = rise <= 0 or (
                temperature > 0
                and math.log(max(float(torch.rand(())), 1e-38)) < -rise / temperature
            )
            if accepted:
                now = moved
            else:
                for p, old in zip(weights, before, strict=True):
                    p.copy_(old)
            state["t"] += 1
        return first


def _flat(parameters: Parameters) -> list[Tensor]:
    """All parameters in one list: torch's L-BFGS takes no groups."""
    return [
        p for each in parameters for p in (each["params"] if isinstance(each, dict) else [each])
    ]
