"""Inner steps, copies, optimizers and random numbers that have no effect, and programs that look
like these and are sound."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F


def _sines(count: int = 12) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Points of a sine of a random height, for the inner step and for the loss."""
    height = 1 + torch.rand(())
    x, z = torch.rand(count, 1) * 6 - 3, torch.rand(count, 1) * 6 - 3
    return x, height * x.sin(), z, height * z.sin()


def meta_learning(sick: bool, fault: str = "rate", penalty: bool = False) -> list[float]:
    """Two tasks a step. Sick: the inner rate is 0, or the loss is that of the weights before the
    inner step."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 1))
    optimizer, losses = torch.optim.Adam(net.parameters(), lr=1e-2), []
    rate = 0.0 if sick and fault == "rate" else 0.05
    for _ in range(60):
        total = torch.zeros(())
        for _ in range(2):
            x, y, z, u = _sines()
            weights = dict(net.named_parameters())
            for _ in range(2):
                inner = F.mse_loss(functional_call(net, weights, (x,)), y)
                slopes = torch.autograd.grad(inner, list(weights.values()), create_graph=True)
                fast = {
                    name: w - rate * slope
                    for (name, w), slope in zip(weights.items(), slopes, strict=True)
                }
                if not (sick and fault == "unused"):
                    weights = fast
            total = total + F.mse_loss(functional_call(net, weights, (z,)), u)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
    return losses


def gradients_beside_the_loss(_: bool, kind: str = "norm") -> list[float]:
    """Gradients of the weights with a graph of their own: written down, in a penalty, or for a
    product with the matrix of second derivatives."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 1))
    optimizer, losses = torch.optim.Adam(net.parameters(), lr=1e-2), []
    for _ in range(60):
        x, y, z, u = _sines(32)
        loss = F.mse_loss(net(x), y)
        weights = list(net.parameters())
        other = F.mse_loss(net(z), u) if kind == "curvature" else loss
        slopes = torch.autograd.grad(other, weights, create_graph=True)
        length = torch.stack([slope.square().sum() for slope in slopes]).sum()
        if kind == "curvature":
            torch.autograd.grad(length, weights)
        optimizer.zero_grad()
        (loss + 1e-3 * length if kind == "penalty" else loss).backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def _rows(count: int = 300) -> tuple[Tensor, Tensor]:
    x = torch.randn(count, 10)
    return x, (x[:, :3].sum(1) > 0).long()


def _classifier() -> nn.Sequential:
    return nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2))


def average(sick: bool, kind: str = "by hand") -> list[float]:
    """Classes, measured with an average of the weights. Sick: nothing updates it."""
    torch.manual_seed(0)
    x, y = _rows()
    net = _classifier()
    slow: nn.Module = (
        torch.optim.swa_utils.AveragedModel(net) if kind == "torch" else copy.deepcopy(net)
    )
    optimizer, losses = torch.optim.Adam(net.parameters(), lr=1e-2), []
    for _ in range(12):
        for rows in torch.randperm(240).split(40):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if not sick:
                _follow(slow, net)
        with torch.no_grad():
            (slow(x[240:]).argmax(1) == y[240:]).float().mean()
    return losses


def _follow(slow: nn.Module, net: nn.Module) -> None:
    if isinstance(slow, torch.optim.swa_utils.AveragedModel):
        slow.update_parameters(net)
        return
    with torch.no_grad():
        for old, new in zip(slow.parameters(), net.parameters(), strict=True):
            old.lerp_(new, 0.1)


def target_network(sick: bool) -> list[float]:
    """Values of two actions, with those of a target network. Sick: it is never updated."""
    torch.manual_seed(0)
    values = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 2))
    target = copy.deepcopy(values)
    optimizer, losses = torch.optim.Adam(values.parameters(), lr=3e-3), []
    for step in range(260):
        state, after = torch.randn(32, 3), torch.randn(32, 3)
        action = torch.randint(0, 2, (32, 1))
        won = ((state[:, :1] > 0) == (action == 1)).float()
        with torch.no_grad():
            goal = won + 0.5 * target(after).max(1, keepdim=True).values
        optimizer.zero_grad()
        loss = F.mse_loss(values(state).gather(1, action), goal)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if not sick and step % 40 == 0:
            target.load_state_dict(values.state_dict())
    return losses


def other_networks(_: bool, kind: str = "teacher") -> list[float]:
    """Networks that are called in each epoch and stay as they are: a teacher of the same shape
    that was trained before, a random one of its own draw, and a start that is looked at once."""
    torch.manual_seed(0)
    x, y = _rows()
    net, other = _classifier(), _classifier()
    losses: list[float] = []
    if kind == "teacher":
        optimizer = torch.optim.Adam(other.parameters(), lr=1e-2)
        for rows in torch.randperm(240).split(20):
            optimizer.zero_grad()
            F.cross_entropy(other(x[rows]), y[rows]).backward()
            optimizer.step()
    if kind == "start":
        other = copy.deepcopy(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(12):
        for rows in torch.randperm(240).split(40):
            optimizer.zero_grad()
            with torch.no_grad():
                hint = other(x[rows]).softmax(1) if kind == "teacher" else None
            loss = F.cross_entropy(net(x[rows]), y[rows])
            if hint is not None:
                loss = (
                    loss + 0.1 * F.kl_div(net(x[rows]).log_softmax(1), hint, reduction="sum") / 40
                )
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            net(x[240:])
            if kind == "random" or (kind == "start" and epoch in (0, 11)):
                other(x[240:])
    return losses


def two_optimizers(sick: bool) -> list[float]:
    """Features and classes. Sick: the optimizer of the features never steps."""
    torch.manual_seed(0)
    x, y = _rows()
    features, head = nn.Sequential(nn.Linear(10, 32), nn.ReLU()), nn.Linear(32, 2)
    first = torch.optim.Adam(features.parameters(), lr=1e-2)
    second, losses = torch.optim.Adam(head.parameters(), lr=1e-2), []
    for _ in range(12):
        for rows in torch.randperm(300).split(50):
            first.zero_grad()
            second.zero_grad()
            loss = F.cross_entropy(head(features(x[rows])), y[rows])
            loss.backward()
            if not sick:
                first.step()
            second.step()
            losses.append(loss.item())
    return losses


def noise(sick: bool, kind: str = "torch") -> list[float]:
    """Classes of noisy rows. Sick: the generator is seeded at the beginning of each epoch. Sound
    kinds: an evaluation with a generator of its own, or with one that is put back; and rows
    without any noise in a fixed order."""
    torch.manual_seed(0)
    x, y = _rows()
    net = _classifier()
    optimizer, losses = torch.optim.Adam(net.parameters(), lr=1e-2), []
    for _ in range(8):
        if sick:
            torch.manual_seed(1)
            np.random.seed(1)
        for number in range(6):
            rows = torch.arange(240)[number::6]
            inputs = x[rows]
            if kind == "numpy":
                inputs = inputs + float(np.random.normal(0, 0.1))
            elif kind != "none":
                inputs = inputs + 0.1 * torch.randn(40, 10)
            optimizer.zero_grad()
            loss = F.cross_entropy(net(inputs), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if kind == "put back":
            with torch.random.fork_rng():
                torch.manual_seed(1)
                _evaluated(net, x[240:] + 0.1 * torch.randn(60, 10), y[240:])
        else:
            own = torch.Generator().manual_seed(1)
            shift = torch.randn(60, 10, generator=own) if kind == "own" else torch.zeros(60, 10)
            _evaluated(net, x[240:] + 0.1 * shift, y[240:])
    return losses


def _evaluated(net: nn.Module, x: Tensor, y: Tensor) -> None:
    with torch.no_grad():
        F.cross_entropy(net(x), y)


def two_views(sick: bool, temperature: float = 0.2) -> list[float]:
    """Pairs of noisy views of a row among those of other rows. Sick: cosines over a temperature
    that keeps all of them near 0."""
    torch.manual_seed(0)
    x = torch.tanh(torch.randn(300, 6) @ torch.randn(6, 20))
    net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 16))
    optimizer, losses = torch.optim.Adam(net.parameters(), lr=3e-3), []
    for _ in range(12):
        for rows in torch.randperm(300).split(60):
            first, second = (
                F.normalize(net(x[rows] + 0.1 * torch.randn(60, 20)), dim=1) for _ in range(2)
            )
            optimizer.zero_grad()
            scale = 30.0 if sick else temperature
            loss = F.cross_entropy(first @ second.T / scale, torch.arange(60))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            net(x)
    return losses
