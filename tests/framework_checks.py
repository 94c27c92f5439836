"""What the tests of integrations share: a small task, a network, and the comparison of a program
that runs by itself with the same program while it is observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

import netwise as nw

SAMPLES, FEATURES, CLASSES, BATCH, EPOCHS, RATE = 512, 8, 3, 16, 8, 0.003
Numbers = Mapping[str, Tensor]  # what a program computed: weights, losses, a draw


def classes(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Inputs, and the class that a linear map gives each of them."""
    teacher = torch.randn(FEATURES, CLASSES, generator=torch.Generator().manual_seed(5))
    x = torch.randn(SAMPLES, FEATURES, generator=torch.Generator().manual_seed(seed))
    return x, (x @ teacher).argmax(1)


def validation() -> tuple[Tensor, Tensor]:
    """Other samples of the same classes, for validation."""
    x, y = classes(seed=1)
    return x[:128], y[:128]


def values() -> tuple[Tensor, Tensor]:
    """Inputs, and one number for each of them."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(SAMPLES, FEATURES, generator=generator)
    return x, (x @ torch.randn(FEATURES, generator=generator)).tanh()


class Network(nn.Module):
    """Two layers with dropout, so that a changed random number changes all that follow.

    Args:
        outputs: width of the last layer.
        fault: "softmax" adds one before a loss that has its own; "list" keeps the hidden layers in
            a Python list, where no optimizer finds them.
    """

    def __init__(self, outputs: int = CLASSES, fault: str = "") -> None:
        super().__init__()
        self.first = nn.Linear(FEATURES, 32)
        hidden = [nn.Linear(32, 32)]
        self.hidden = hidden if fault == "list" else nn.ModuleList(hidden)
        self.drop = nn.Dropout(0.1)
        self.last = nn.Linear(32, outputs)
        self.fault = fault

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x).relu()
        for layer in self.hidden:
            h = layer(h).relu()
        h = self.last(self.drop(h))
        return h.softmax(1) if self.fault == "softmax" else h


def numbers(module: nn.Module, losses: Iterable[float] = ()) -> Numbers:
    """Weights of a module after training, its losses, and the next random numbers."""
    weights = {name: value.detach().clone() for name, value in module.state_dict().items()}
    return {**weights, "losses": torch.tensor(list(losses)), "draw": torch.rand(4)}


def observed(program: Callable[[], Numbers]) -> nw.watch:
    """The watch of a program, after checking that watching changed none of its numbers."""
    alone = program()
    with nw.watch() as w:
        watched = program()
    assert_same(alone, watched)
    assert w.errors == ()
    return w


def assert_same(alone: Numbers, watched: Numbers) -> None:
    """Both ran the same computation: equal to the last bit."""
    assert alone.keys() == watched.keys()
    changed = [
        name
        for name in alone
        if not torch.equal(alone[name].nan_to_num(), watched[name].nan_to_num())
    ]
    assert changed == []


def names(history: nw.History) -> tuple[str, ...]:
    """Names of all findings."""
    return nw.diagnose(history).names
