"""Losses of several parts, of which one rules the others or has no gradient."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.samples import batches, classes


class _Autoencoder(nn.Module):
    """A variational autoencoder of tables."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(inputs, 24), nn.Linear(3, 24)
        self.mean, self.spread = nn.Linear(24, 3), nn.Linear(24, 3)
        self.last = nn.Linear(24, inputs)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encoder(x).relu()
        mean, logs = self.mean(hidden), self.spread(hidden)
        code = mean + (0.5 * logs).exp() * torch.randn_like(mean)
        return self.last(self.decoder(code).relu()), mean, logs


def codes(sick: bool, fault: str = "factor") -> list[float]:
    """A variational autoencoder. Sick: the divergence has a large factor, is a sum where the errors
    are a mean, or is detached."""
    torch.manual_seed(0)
    x = torch.randn(400, 3) @ torch.randn(3, 12)
    model, losses = _Autoencoder(12), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(400, 40, epochs=12):
        optimizer.zero_grad()
        back, mean, logs = model(x[rows])
        if sick and fault == "detached":
            mean, logs = mean.detach(), logs.detach()
        divergence = -0.5 * (1 + logs - mean.square() - logs.exp()).sum() / len(rows)
        errors = F.mse_loss(back, x[rows], reduction="sum") / len(rows)
        if fault == "elements":
            errors = F.mse_loss(back, x[rows], reduction="none").sum(1).mean()
        if sick and fault == "sum":
            errors = F.mse_loss(back, x[rows])
        factor = (
            200.0
            if sick and fault in ("factor", "elements")
            else 20.0
            if sick and fault == "sum"
            else 0.05
        )
        loss = errors + factor * divergence
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def two_heads(sick: bool, fault: str = "item") -> list[float]:
    """Classes and a number from one body. Sick: one of both losses is a number without a graph."""
    x, y = classes()
    wanted = x[:, 0].tanh()
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(8, 32), nn.ReLU())
    of_classes, of_numbers = nn.Linear(32, 3), nn.Linear(32, 1)
    weights = [p for part in (body, of_classes, of_numbers) for p in part.parameters()]
    optimizer, losses = torch.optim.Adam(weights, lr=1e-2), []
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        hidden = body(x[rows])
        one = F.cross_entropy(of_classes(hidden), y[rows])
        with torch.set_grad_enabled(not (sick and fault == "no_grad")):
            other = F.mse_loss(of_numbers(hidden).squeeze(1), wanted[rows])
        loss = one + (other.item() if sick and fault == "item" else other)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def shifted(sick: bool) -> list[float]:
    """A loss with a constant and with a factor that changes. No sick version."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step, rows in enumerate(batches(600, 32, epochs=5)):
        optimizer.zero_grad()
        error = F.cross_entropy(model(x[rows]), y[rows])
        loss = min(1.0, 0.1 + step / 20) * error - 0.02
        loss.backward()
        optimizer.step()
        losses.append(error.item())
    return losses


def pairs(sick: bool) -> list[float]:
    """Two views of the same things, each to be told from those of the batch's other things, in both
    directions. Sick: the second view is of other things."""
    torch.manual_seed(0)
    things = torch.randn(600, 6)
    one = things @ torch.randn(6, 20) + 0.3 * torch.randn(600, 20)
    other = things @ torch.randn(6, 15) + 0.3 * torch.randn(600, 15)
    towers = [nn.Sequential(nn.Linear(n, 32), nn.ReLU(), nn.Linear(32, 8)) for n in (20, 15)]
    weights = [p for tower in towers for p in tower.parameters()]
    optimizer, losses = torch.optim.Adam(weights, lr=3e-3), []
    for rows in batches(600, 60, epochs=20):
        matched = rows[torch.randperm(len(rows))] if sick else rows
        a, b = F.normalize(towers[0](one[rows])), F.normalize(towers[1](other[matched]))
        table, same = 10 * a @ b.T, torch.arange(len(rows))
        loss = 0.5 * F.cross_entropy(table, same) + 0.5 * F.cross_entropy(table.T, same)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
