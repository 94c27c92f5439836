"""Programs with one row that is far from all others, and programs whose steps are too long."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from watching.loops.samples import batches, classes, mlp, numbers

UNUSUAL = 8  # the step whose batch has such a row
VALIDATION = 60  # rows


def _train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: tuple[Tensor, Tensor],
    loss_of: nn.Module,
    clip: float = float("inf"),
) -> list[float]:
    """The usual loop; gradients are clipped, and each epoch is evaluated."""
    x, y = data
    rows, losses = len(x) - VALIDATION, []
    for _ in range(30):
        for batch in batches(rows, 60):
            inputs, targets = x[batch], y[batch]
            if len(losses) == UNUSUAL and clip < float("inf"):
                inputs, targets = _with_unusual_row(inputs, targets)
            optimizer.zero_grad()
            loss = loss_of(model(inputs), targets)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            loss_of(model(x[rows:]), y[rows:])
    return losses


def _with_unusual_row(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """One target, or one feature where targets are classes, that stands for a missing value."""
    if targets.is_floating_point():
        targets = targets.clone()
        targets[3] = 1e6
    else:
        inputs = inputs.clone()
        inputs[3, 2] = 1e6
    return inputs, targets


def _tanh_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))


def unusual_target(sick: bool, optimizer: str = "Adam") -> list[float]:
    """One wrong target, after which an adaptive optimizer divides by a huge number."""
    model = _tanh_network()
    if optimizer == "Adagrad":
        made: torch.optim.Optimizer = torch.optim.Adagrad(model.parameters(), lr=0.05)
    else:
        made = torch.optim.Adam(model.parameters(), lr=0.01, amsgrad=optimizer == "AMSGrad")
    return _train(model, made, numbers(), nn.MSELoss(), clip=1e9 if sick else 1.0)


def unusual_input(sick: bool) -> list[float]:
    """One wrong feature, after which the weights are far from where they were."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return _train(model, optimizer, classes(), nn.CrossEntropyLoss(), clip=1e9 if sick else 1.0)


def momentum(sick: bool) -> list[float]:
    """A rate that is right without momentum, and a hundred times too high with it."""
    model = _tanh_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.99 if sick else 0.8)
    return _train(model, optimizer, numbers(), nn.MSELoss())


def over_the_valley(sick: bool) -> list[float]:
    """All rows in each step, at a rate at the limit of stability: the steps go to and fro between
    the slopes of a valley, at the same height."""
    torch.manual_seed(0)
    common = torch.randn(400, 1)
    x = common + 0.3 * torch.randn(400, 8)
    y = 3 * common + 0.1 * torch.randn(400, 1)
    model = nn.Linear(8, 1)
    centred = torch.cat([x, torch.ones(400, 1)], 1)
    limit = 2 / float(torch.linalg.eigvalsh(2 * centred.T @ centred / 400)[-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=(1.0 if sick else 0.3) * limit)
    losses = []
    for _ in range(120):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
