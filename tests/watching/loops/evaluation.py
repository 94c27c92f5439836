"""Loops with schedules of the learning rate, and with an evaluation between the steps."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from watching.loops.samples import batches, classes, mlp


def schedule_by_epoch(sick: bool) -> list[float]:
    """The rate falls by epochs. Sick: it is stepped after each batch and vanishes."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.3)
    for _ in range(6):
        for rows in batches(600, 32):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if sick:
                schedule.step()
        if not sick:
            schedule.step()
    return losses


def schedule_by_step(sick: bool) -> list[float]:
    """Warm-up and a cosine to 0 over all steps. Sick: planned for 12 steps, which are the epochs;
    it then stays at 0."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
    steps = 6 if sick else 6 * 19

    def rate(step: int) -> float:
        if step < 3:
            return (step + 1) / 3
        return float(0.5 + 0.5 * torch.cos(torch.tensor(min(step / steps, 1.0) * 3.14159265)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def one_cycle(sick: bool) -> list[float]:
    """OneCycleLR, which also changes the momentum. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, total_steps=114)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def _with_norm() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 3)
    )


def validation(sick: bool, fault: str = "eval") -> list[float]:
    """A validation after each epoch, in evaluation mode and without gradients.

    Args:
        fault: of the sick version. "eval": training goes on in evaluation mode. "train": the
            validation runs in training mode. "prepared": its inputs are not scaled as those of
            training are.
    """
    x, y = classes()
    model, losses = _with_norm(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(8):
        if epoch == 0 or not (sick and fault == "eval"):
            model.train()
        for rows in batches(450, 30):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if not (sick and fault == "train"):
            model.eval()
        with torch.no_grad():
            for rows in torch.arange(450, 600).split(50):
                held_out = 20 * x[rows] + 5 if sick and fault == "prepared" else x[rows]
                F.cross_entropy(model(held_out), y[rows]).item()
    return losses


def validation_within_the_epoch(sick: bool) -> list[float]:
    """A validation every ten steps, by a function that restores the mode. Sick: it does not, so
    that all later steps run in evaluation mode."""
    x, y = classes()
    model, losses = _with_norm(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    @torch.no_grad()
    def validate() -> float:
        model.eval()
        loss = F.cross_entropy(model(x[450:]), y[450:]).item()
        if not sick:
            model.train()
        return loss

    for k, rows in enumerate(batches(450, 30, epochs=7)):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if k % 10 == 4:
            validate()
    return losses


def dropout_at_inference(sick: bool) -> list[float]:
    """Monte Carlo dropout: after training, passes without gradients in training mode, on purpose,
    beside the validations in evaluation mode. No sick version."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = (
        nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 3)),
        [],
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(7):
        for rows in batches(450, 30):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.inference_mode():
            model(x[450:])
        model.train()
    with torch.no_grad():
        torch.stack([model(x[450:]).softmax(1) for _ in range(5)]).std(0)
    return losses


def early_stopping(sick: bool) -> list[float]:
    """Training ends when the validation loss has not fallen for three epochs, and the best weights
    are loaded. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    best, waited = float("inf"), 0
    saved = model.state_dict()
    for _ in range(12):
        for rows in batches(450, 30):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            now = F.cross_entropy(model(x[450:]), y[450:]).item()
        waited = 0 if now < best else waited + 1
        if now < best:
            best = now
            saved = {name: value.clone() for name, value in model.state_dict().items()}
        if waited == 3:
            break
    model.load_state_dict(saved)
    return losses
