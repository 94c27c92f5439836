"""Targets that a program makes itself: values of actions by bootstrapping, orders of events, and
sequences that the module shifts by one place."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Translator(nn.Module):
    """Gives a sequence back from its end; the decoder sees the symbols before each place.

    Args:
        scrambles: the encoder's axes are exchanged by a view.
    """

    def __init__(self, scrambles: bool) -> None:
        super().__init__()
        self.scrambles = scrambles
        self.symbols = nn.Embedding(7, 16)
        self.encoder, self.decoder = nn.GRU(16, 32), nn.GRU(16, 32)
        self.head = nn.Linear(32, 6)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        rows, places = x.shape
        inputs = self.symbols(x)
        swapped = inputs.view(places, rows, 16) if self.scrambles else inputs.transpose(0, 1)
        _, state = self.encoder(swapped)
        before = torch.cat([torch.full_like(y[:, :1], 6), y[:, :-1]], 1)
        out, _ = self.decoder(self.symbols(before).transpose(0, 1), state)
        return self.head(out).transpose(0, 1)


def translation(sick: bool) -> list[float]:
    """Sick: a view exchanges the axes of samples and of places in the encoder."""
    torch.manual_seed(0)
    net = Translator(sick)
    optimizer, losses = torch.optim.Adam(net.parameters(), lr=1e-2), []
    for _ in range(120):
        x = torch.randint(0, 6, (32, 4))
        y = x.flip(1)
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x, y).reshape(-1, 6), y.reshape(-1))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def values_of_actions(_: bool, rate: float = 3e-3) -> list[float]:
    """Values by a target network. The targets change with the network, and the more so the higher
    the rate is, in whatever order the states are."""
    torch.manual_seed(0)
    values = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 3))
    target = copy.deepcopy(values)
    optimizer = torch.optim.Adam(values.parameters(), lr=rate)
    states, after = torch.randn(600, 2), torch.randn(600, 2)
    actions, losses = torch.randint(0, 3, (600, 1)), []
    rewards = (states[:, :1] * (actions - 1) > 0).float()
    for step in range(400):
        rows = torch.randint(0, 600, (32,))
        with torch.no_grad():
            goal = rewards[rows] + 0.95 * target(after[rows]).max(1, keepdim=True).values
        optimizer.zero_grad()
        loss = F.mse_loss(values(states[rows]).gather(1, actions[rows]), goal)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step % 50 == 0:
            target.load_state_dict(values.state_dict())
    return losses


def order_of_events(_: bool) -> list[float]:
    """Cox's partial likelihood: the lowest value of its loss is near the first."""
    torch.manual_seed(0)
    x, weights = torch.randn(500, 8), torch.randn(8)
    times = torch.distributions.Exponential((x @ weights * 0.7).exp()).sample()
    net = nn.Sequential(nn.Linear(8, 32), nn.SELU(), nn.Linear(32, 1))
    optimizer, losses = torch.optim.AdamW(net.parameters(), lr=5e-3), []
    for _ in range(20):
        for rows in torch.randperm(400).split(100):
            rows = rows[times[rows].argsort(descending=True)]
            risk = net(x[rows]).squeeze(1)
            optimizer.zero_grad()
            loss = -(risk - risk.logcumsumexp(0)).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    with torch.no_grad():
        net(x[400:])
    return losses
