"""Small programs with one fault that signals alone do not show, and healthy ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw

ROWS = 240


def rings(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points in three rings, with the number of the ring."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(3, (ROWS,), generator=generator)
    angle = 6.2832 * torch.rand(ROWS, generator=generator)
    radius = y + 0.4 * torch.rand(ROWS, generator=generator)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), y


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3)
    )


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    epochs: int = 12,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    penalty: float = 0.0,
    shuffled: bool = True,
    size: int = 24,
) -> None:
    """A plain loop with an evaluation after each epoch."""
    (x, y), (x_valid, y_valid) = rings(), rings(1)
    order = torch.Generator().manual_seed(0)
    by_class = y.argsort()
    for _ in range(epochs):
        drawn = torch.randperm(ROWS, generator=order) if shuffled else by_class
        for rows in drawn.split(size):
            optimizer.zero_grad()
            value = loss(model(x[rows]), y[rows])
            if penalty:
                value = value + penalty * sum(p.abs().sum() for p in model.parameters())
            value.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            loss(model(x_valid), y_valid)
        model.train()


def watched(program: Callable[[], object]) -> nw.History:
    """The history of a program that is still in memory afterwards."""
    with nw.watch(trials=True) as w:
        program()
    assert w.errors == ()
    return w.history()


def adam(model: nn.Module, rate: float = 0.02, **options: float) -> torch.optim.Optimizer:
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=rate, **options)


def healthy() -> None:
    model = network()
    train(model, adam(model))


def rate_too_low() -> None:
    model = network()
    train(model, adam(model, 2e-5))


def rate_too_high() -> None:
    model = network()
    train(model, adam(model, 2.0))


def too_short() -> None:
    model = network()
    train(model, adam(model, 0.01), epochs=1)


def frozen() -> None:
    """All hidden layers but the output are frozen, at a start that does not part the rings."""
    model = network()
    with torch.no_grad():
        model[2].weight[2:] = 0
        model[2].bias.zero_()
    model[:4].requires_grad_(False)
    train(model, adam(model))


def start_too_large() -> None:
    model = network()
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(40)
    train(model, torch.optim.SGD(model.parameters(), lr=0.02), epochs=20)


def start_symmetric() -> None:
    model = network()
    with torch.no_grad():
        for layer in model[::2]:
            layer.weight.fill_(0.05)
            layer.bias.zero_()
    train(model, adam(model))


def penalty_too_strong() -> None:
    model = network()
    train(model, adam(model), penalty=0.02)


def decay_too_strong() -> None:
    model = network()
    train(model, adam(model, weight_decay=1.0))


def inputs_far_off() -> None:
    """Inputs around 5,000, in a program of its own data."""
    model = nn.Sequential(Shift(), *network())
    train(Outer(model), torch.optim.SGD(model.parameters(), lr=0.1))


class Shift(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


class Outer(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.inner(x)
        return result


def absolute_error_of_classes() -> None:
    def loss(output: Tensor, y: Tensor) -> Tensor:
        return (output - F.one_hot(y, 3)).abs().mean()

    model = network()
    train(model, adam(model, 0.002), loss=loss)


def too_short_within_a_warm_up() -> None:
    """One epoch of a warm-up: its rate still rises, so the schedule holds nothing back."""
    model = network()
    optimizer = adam(model, 0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (step + 1) / 10)
    optimizer.register_step_post_hook(lambda *_: schedule.step())
    train(model, optimizer, epochs=1)


def labels_exchanged() -> None:
    """Targets that have nothing to do with their inputs are learned by heart."""
    torch.manual_seed(0)
    x, y = torch.randn(320, 20), torch.randint(3, (320,))
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
    optimizer = adam(model, 0.01)
    for _ in range(20):
        for rows in torch.randperm(240).split(24):
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            F.cross_entropy(model(x[240:]), y[240:])


def too_narrow() -> None:
    """Two units decide between three rings."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 3))
    train(model, adam(model), epochs=20)


def training_labels_exchanged() -> None:
    """The labels of training belong to other rows, those of evaluation to their own."""
    torch.manual_seed(0)
    x = torch.randn(480, 4)
    y = x[:, :3].argmax(1)
    y[:240] = y[torch.randperm(240)]
    model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3))
    optimizer = adam(model, 0.01)
    for _ in range(12):
        for rows in torch.randperm(240).split(24):
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            F.cross_entropy(model(x[240:]), y[240:])


def rows_by_class() -> None:
    """The rows come in the order of their classes."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(model, optimizer, shuffled=False, size=8)
