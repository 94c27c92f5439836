"""An average of the weights beside those that learn: a run is judged by it, and ends with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from netwise.parts.averaging import Averaging
from netwise.training.snapshots import module_tensors


class RunningAverage:
    """The average of one run, by the rule of its recipe; without a rule it does nothing.

    Attributes:
        tensors: the average by name; empty before the first weights count.
        count: how often weights have entered it.
    """

    def __init__(self, module: nn.Module, rule: Averaging | None) -> None:
        self.module, self.rule = module, rule
        self.tensors: dict[str, Tensor] = {}
        self.count = 0

    @torch.no_grad()
    def take_in(self, done: float) -> None:
        """The present weights enter, when `done` of the run (0 to 1) is over, if the rule says
        so."""
        share = None if self.rule is None else self.rule.share(self.count, done)
        if share is None:
            return
        live = {name: value.detach() for name, value in module_tensors(self.module).items()}
        if not self.tensors:
            self.tensors = {name: value.clone() for name, value in live.items()}
        else:
            moving = [name for name, value in live.items() if value.is_floating_point()]
            torch._foreach_lerp_(
                [self.tensors[name] for name in moving], [live[name] for name in moving], share
            )
            for name in live.keys() - set(moving):
                self.tensors[name] = live[name].clone()
        self.count += 1

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Inside, the module has the average for its weights."""
        if not self.tensors:
            yield
            return
        live = {name: value.detach().clone() for name, value in module_tensors(self.module).items()}
        self.module.load_state_dict(self.tensors)
        try:
            yield
        finally:
            self.module.load_state_dict(live)
