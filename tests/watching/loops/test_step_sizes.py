"""Steps, starts and brakes of small loops: each fault is named, its harmless relative is not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from watching.loops.samples import batches, digits, mlp


class Dropped(nn.Sequential):
    """A network whose first activations are dropped without a module for it."""

    share = 0.5

    def forward(self, x: Tensor) -> Tensor:
        for number, layer in enumerate(self):
            x = layer(x)
            if number == 1:
                x = F.dropout(x, self.share, self.training)
        return x


def found(
    model: nn.Sequential,
    rate: float = 0.3,
    *,
    clip: float | None = None,
    warm_up: int = 1,
    penalty: float = 0.0,
    epochs: int = 5,
) -> tuple[str, ...]:
    """The rules that a watched loop of stochastic gradient descent on digits breaks, on top."""
    x, y = digits()
    optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1.0, (s + 1) / warm_up))
    with nw.watch() as w:
        for _ in range(epochs):
            model.train()
            for rows in batches(1400, 50):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x[rows]), y[rows])
                if penalty:
                    loss = (
                        loss
                        + penalty * torch.stack([p.abs().sum() for p in model.parameters()]).sum()
                    )
                loss.backward()
                if clip is not None:
                    nn.utils.clip_grad_norm_(model.parameters(), clip)
                optimizer.step()
                schedule.step()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x[1400:]), y[1400:])
    return tuple(finding.rule for finding in nw.diagnose(w.history()).found)


def scaled(factor: float) -> nn.Sequential:
    model = mlp(10, 64, 32)
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                p.mul_(factor)
    return model


def frozen(*layers: int) -> nn.Sequential:
    model = nn.Sequential(
        nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 10)
    )
    for number in layers:
        model[number].requires_grad_(False)
    return model


def dropped(share: float) -> nn.Sequential:
    model = Dropped(*mlp(10, 64, 64))
    model.share = share
    return model


FAULTS = {
    "rate_too_low": lambda: found(mlp(10, 64, 32), 3e-4),
    "rate_too_high": lambda: found(mlp(10, 64, 32), 8.0),
    "clipped_away": lambda: found(mlp(10, 64, 32), clip=1e-3),
    "warm_up_too_long": lambda: found(mlp(10, 64, 32), warm_up=20_000),
    "start_too_large": lambda: found(scaled(25)),
    "start_too_small": lambda: found(scaled(0.005)),
    "brakes_too_strong": lambda: found(mlp(10, 64, 32), penalty=0.02),
    "brakes_too_strong of dropout": lambda: found(dropped(0.97)),
    "frozen_layers": lambda: found(frozen(0, 2), 0.05),
}
HARMLESS = {
    "clipped in each step": lambda: found(mlp(10, 64, 32), clip=0.25, epochs=8),
    "a short warm-up": lambda: found(mlp(10, 64, 32), warm_up=15, epochs=8),
    "a weak penalty": lambda: found(mlp(10, 64, 32), penalty=1e-5, epochs=8),
    "usual dropout": lambda: found(dropped(0.3), epochs=10),
    "a frozen first layer": lambda: found(frozen(0), epochs=12),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_named_first(name: str) -> None:
    torch.manual_seed(0)
    assert FAULTS[name]()[0] == name.partition(" ")[0]


@pytest.mark.parametrize("name", HARMLESS)
def test_its_harmless_relative_is_not_accused(name: str) -> None:
    torch.manual_seed(0)
    assert HARMLESS[name]() == ()
