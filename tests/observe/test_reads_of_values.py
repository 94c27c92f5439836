"""Numbers stay on their device: how often the observer waits for one, and in which steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import netwise as nw
from netwise.observe import layer_activations, layer_weights, probe

READS = ("item", "__float__", "__bool__", "__int__", "cpu", "tolist")
IN_ONE_TRANSFER = (layer_activations, layer_weights, probe)  # they call `values_of`


class Program:
    """A network with many layers, and its training step."""

    def __init__(self, layers: int) -> None:
        parts = [nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(layers)]
        self.model = nn.Sequential(*parts, nn.Linear(8, 3))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)
        self.x, self.y = torch.rand(6, 8), torch.arange(6) % 3

    def step(self) -> None:
        self.optimizer.zero_grad()
        nn.functional.cross_entropy(self.model(self.x), self.y).backward()
        self.optimizer.step()


@contextmanager
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count what would wait for a device: each call that makes numbers of a tensor, and each list
    of scalars that is read in one transfer."""
    count: Counter[str] = Counter()
    inside = [False]

    def counted(name: str, original: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            outermost, inside[0] = not inside[0], True
            count[name] += outermost
            try:
                return original(*args, **kwargs)
            finally:
                inside[0] = not outermost

        return call

    with monkeypatch.context() as patch:
        for name in READS:
            patch.setattr(torch.Tensor, name, counted(name, getattr(torch.Tensor, name)))
        for module in IN_ONE_TRANSFER:
            patch.setattr(module, "values_of", counted("values_of", module.values_of))
        yield count


def reads_of_watched_steps(layers: int, monkeypatch: pytest.MonkeyPatch) -> int:
    program, steps = Program(layers), 16
    with nw.watch(every=1, preflight=False):
        for _ in range(20):
            program.step()
        with reads(monkeypatch) as count:
            for _ in range(steps):
                program.step()
    return count.total()


def test_a_watched_step_reads_as_often_for_many_layers_as_for_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few, many = (reads_of_watched_steps(layers, monkeypatch) for layers in (1, 12))
    assert many == few


class Reads(TorchDispatchMode):
    """Counts reads of single numbers below the observer."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_a_step_that_is_not_watched_reads_at_most_a_loss_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = Program(2)
    with nw.watch(every=1000, preflight=False):  # losses between are not read
        for _ in range(3):
            program.step()
        with reads(monkeypatch) as count, Reads() as below:
            for _ in range(20):
                program.step()
    assert count.total() == below.count == 0
    with nw.watch(preflight=False) as w:
        while w._observer.watching:
            program.step()
        with reads(monkeypatch) as count:
            program.step()
    assert count == {"item": 1}
