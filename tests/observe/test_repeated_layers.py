"""Layers that stand several times in a list: stacks, and what shares weights on purpose."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.repeated_layers import repeated_layer

X = torch.rand(4, 3)


class Stack(nn.Module):
    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


class Heads(Stack):
    """Each place gets the same inputs."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([layer(x) for layer in self.layers])


class SharedLayers(Stack):
    pass


def asked(module: nn.Module) -> tuple[str, int]:
    with torch.no_grad():
        return repeated_layer(module.eval(), lambda a, k: module(*a), (X,), {})


def test_one_layer_many_times() -> None:
    assert asked(Stack([nn.Linear(3, 3)] * 3)) == ("layers: Linear", 3)
    norm = nn.BatchNorm1d(3)
    twice = nn.Sequential(nn.Linear(3, 3), norm, nn.ReLU(), nn.Linear(3, 3), norm)
    assert asked(twice) == ("Sequential: BatchNorm1d", 2)


@pytest.mark.parametrize(
    "module",
    [
        Stack([nn.Linear(3, 3) for _ in range(3)]),
        Stack([nn.Linear(3, 3), *[nn.PReLU()] * 2, *[nn.Dropout()] * 2]),
        Heads([nn.Linear(3, 2)] * 3),
        SharedLayers([nn.Linear(3, 3)] * 3),
    ],
    ids=["own weights", "activations", "heads", "said to be shared"],
)
def test_healthy_neighbours(module: nn.Module) -> None:
    assert asked(module) == ("", 0)


def test_a_layer_that_a_loop_applies_again_and_again() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            for _ in range(3):
                x = self.layer(x)
            return x

    assert asked(Recurrent()) == ("", 0)
