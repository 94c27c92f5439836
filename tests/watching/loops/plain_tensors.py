"""Loops without a module that is called: tensors alone, or `forward` called directly."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from watching.loops.samples import batches, classes


def two_layers(sick: bool) -> list[float]:
    """A network of four tensors. Sick: all of them start at 0."""
    x, y = classes()
    torch.manual_seed(0)
    scale = 0.0 if sick else 0.3
    first, second = scale * torch.randn(8, 32), scale * torch.randn(32, 3)
    weights = [first, torch.zeros(32), second, torch.zeros(3)]
    a, b, c, d = (w.requires_grad_() for w in weights)
    optimizer, losses = torch.optim.SGD(weights, lr=0.2), []
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = F.cross_entropy(torch.relu(x[rows] @ a + b) @ c + d, y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def factors_of_a_matrix(sick: bool) -> list[float]:
    """Two tables whose products fill a matrix. Sick: gradients are never set to zero."""
    torch.manual_seed(0)
    truth = torch.randn(40, 4) @ torch.randn(4, 30)
    users, items = torch.randn(40, 4) * 0.3, torch.randn(30, 4) * 0.3
    users.requires_grad_()
    items.requires_grad_()
    optimizer, losses = torch.optim.Adam([users, items], lr=0.03), []
    for _ in range(200):
        u, i = torch.randint(40, (128,)), torch.randint(30, (128,))
        if not sick:
            optimizer.zero_grad()
        loss = F.mse_loss((users[u] * items[i]).sum(1), truth[u, i])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def forward_called_directly(sick: bool) -> list[float]:
    """`model.forward(x)` in the place of `model(x)`. Sick: probabilities go into a loss that
    expects logits."""
    x, y = classes()
    torch.manual_seed(0)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Parameter(torch.randn(8, 32) * 0.3), nn.Parameter(torch.zeros(32))
            self.c = nn.Parameter(torch.randn(32, 3) * 0.3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out = torch.relu(x @ self.a + self.b) @ self.c
            return out.softmax(1) if sick else out

    model, losses = Net(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = F.cross_entropy(model.forward(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def loss_of_a_number(sick: bool) -> list[float]:
    """Sick: the loss is made anew of its own value, and has no way back to the network."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)), []
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        if sick:
            loss = torch.tensor(loss.item(), requires_grad=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def divergence_of_probabilities(sick: bool) -> list[float]:
    """The KL divergence from one-hot rows. Sick: of probabilities, and not of their logarithms."""
    x, y = classes()
    torch.manual_seed(0)
    last: nn.Module = nn.Softmax(1) if sick else nn.LogSoftmax(1)
    model, losses = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3), last), []
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    rows_of = F.one_hot(y, 3).float()
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = F.kl_div(model(x[rows]), rows_of[rows], reduction="batchmean")
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def mostly_noise(sick: bool) -> list[float]:
    """Targets that are noise to nine tenths, of which the network learns the rest."""
    torch.manual_seed(0)
    x, valid = torch.randn(800, 5), torch.randn(300, 5)
    y, y_valid = (0.35 * part[:, :1] + torch.randn(len(part), 1) for part in (x, valid))
    model, losses = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1)), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(10):
        for rows in torch.randperm(800).split(32):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            F.mse_loss(model(valid), y_valid)
    return losses


def updated_by_hand(sick: bool, fault: str = "") -> list[float]:
    """A network of four tensors whose values are changed by the program itself. Sick: its steps
    are too short or far too long, go up the gradient, leave a tensor out, or gradients are kept."""
    x, y = classes()
    torch.manual_seed(0)
    first, second = 0.3 * torch.randn(8, 32), 0.3 * torch.randn(32, 3)
    weights = [first, torch.zeros(32), second, torch.zeros(3)]
    a, b, c, d = (w.requires_grad_() for w in weights)
    rate = {"short": 1e-6, "long": 50.0, "up": -0.2}.get(fault, 0.2) if sick else 0.2
    losses = []
    for rows in batches(600, 32, epochs=6):
        loss = F.cross_entropy(torch.relu(x[rows] @ a + b) @ c + d, y[rows])
        loss.backward()
        with torch.no_grad():
            for w in weights:
                if not (sick and fault == "left out" and w is a):
                    w -= rate * w.grad
                if not (sick and fault == "kept"):
                    w.grad = None
        losses.append(loss.item())
    return losses
