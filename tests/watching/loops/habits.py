"""Loops with faults of habit: an optimizer made in the loop, targets before outputs, a schedule of
epochs that counts batches, a class that is left out, inputs that were divided twice."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.samples import batches, classes


def optimizer_in_the_loop(sick: bool, kind: str = "Adam") -> list[float]:
    """Sick: a new optimizer for each step. One of each stage of training is sound, and one without
    a memory is no fault."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)), []

    def new() -> torch.optim.Optimizer:
        if kind == "Adam":
            return torch.optim.Adam(model.parameters(), lr=0.02)
        return torch.optim.SGD(model.parameters(), lr=0.2)

    optimizer = new()
    for k, rows in enumerate(batches(600, 32, epochs=6)):
        if sick or kind == "SGD" or k % 40 == 0:
            optimizer = new()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def targets_first(sick: bool, kind: str = "binary") -> list[float]:
    """Sick: the targets are the first argument of the loss, as in Keras."""
    x, y = classes()
    torch.manual_seed(0)
    last: list[nn.Module] = [nn.Sigmoid()] if kind == "binary" else []
    model, losses = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3), *last), []
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = {
        "binary": F.binary_cross_entropy,
        "logits": F.binary_cross_entropy_with_logits,
        "classes": F.cross_entropy,
        "errors": F.mse_loss,
    }[kind]
    targets = x[:, :3].tanh() if kind == "errors" else F.one_hot(y, 3).float()
    if kind == "binary":
        targets = 0.1 + 0.8 * targets  # torch's gradient for the targets is infinite at 0 and 1
    for rows in batches(600, 32, epochs=2 if sick else 6):
        optimizer.zero_grad()
        outputs, wanted = model(x[rows]), targets[rows]
        is_first = sick or kind == "errors"  # which is the same either way
        loss = criterion(wanted, outputs) if is_first else criterion(outputs, wanted)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def schedule_of_epochs(sick: bool, kind: str = "cosine") -> list[float]:
    """A schedule that is stepped once an epoch. Sick: after each batch. Restarts are sound."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)), []
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    schedules = torch.optim.lr_scheduler
    schedule: torch.optim.lr_scheduler.LRScheduler
    if kind == "cosine":
        schedule = schedules.CosineAnnealingLR(optimizer, T_max=6)
    else:
        schedule = schedules.CosineAnnealingWarmRestarts(optimizer, T_0=10)
    for _ in range(6):
        for rows in batches(600, 32, epochs=1):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if sick or kind == "restarts":
                schedule.step()
        if not sick and kind == "cosine":
            schedule.step()
    return losses


def _squares(count: int) -> tuple[Tensor, Tensor]:
    """Noisy images with one bright square, and the mask of it."""
    torch.manual_seed(1)
    masks = torch.zeros(count, 12, 12).long()
    for mask, (a, b) in zip(masks, torch.randint(1, 7, (count, 2)).tolist(), strict=True):
        mask[a : a + 4, b : b + 4] = 1
    return 0.3 * torch.randn(count, 1, 12, 12) + masks[:, None], masks


def background(sick: bool) -> list[float]:
    """A mask of an object, with a border that has no label. Sick: the background is left out of the
    loss, so that one class is left."""
    x, y = _squares(120)
    targets = y.clone()
    targets[:, :1] = -100
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1)), []
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for rows in batches(120, 12, epochs=6):
        optimizer.zero_grad()
        wanted, ignored = (y, 0) if sick else (targets, -100)
        loss = F.cross_entropy(model(x[rows]), wanted[rows], ignore_index=ignored)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def divided_inputs(sick: bool) -> list[float]:
    """Sick: the inputs are divided by 255 though they are small numbers already."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs = x / 255**2 if sick else x
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
