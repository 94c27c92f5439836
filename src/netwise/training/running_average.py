"""An average of the weights over time, kept beside those that train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from netwise.parts.averaging import Averaging
from netwise.training.snapshots import module_tensors


class RunningAverage:
    """The average of one run, by the rule of its recipe; without a rule it stays empty.

    Attributes:
        tensors: the average by name; empty before the first update.
        count: updates so far.
    """

    def __init__(self, module: nn.Module, rule: Averaging | None) -> None:
        self.module, self.rule = module, rule
        self.tensors: dict[str, Tensor] = {}
        self.count = 0

    @torch.no_grad()
    def update(self, done: float) -> None:
        """Take in the present weights, if the rule does so when `done` of the run (0 to 1) is
        over."""
        share = None if self.rule is None else self.rule.share(self.count, done)
        if share is None:
            return
        live = {name: value.detach() for name, value in module_tensors(self.module).items()}
        if not self.tensors:
            self.tensors = {name: value.clone() for name, value in live.items()}
        else:
            floats = [name for name, value in live.items() if value.is_floating_point()]
            torch._foreach_lerp_(
                [self.tensors[name] for name in floats], [live[name] for name in floats], share
            )
            for name in live.keys() - set(floats):
                self.tensors[name] = live[name].clone()
        self.count += 1

    def load(self, tensors: Mapping[str, Tensor], count: int) -> None:
        """Put back what a checkpoint saved."""
        self.tensors, self.count = dict(tensors), count

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the module has the average as its weights."""
        if not self.tensors:
            yield
            return
        live = {name: value.detach().clone() for name, value in module_tensors(self.module).items()}
        self.module.load_state_dict(self.tensors)
        try:
            yield
        finally:
            self.module.load_state_dict(live)
