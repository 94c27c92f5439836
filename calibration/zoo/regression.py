"""Numbers as targets."""

from __future__ import annotations

import math

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.nn import functional as F

from calibration.zoo.program import healthy, r2


def steps_of(net, x, y, criterion, rounds, rate, size=50, decay=0.0):
    opt = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=decay)
    for _ in range(rounds):
        for i in torch.randperm(len(x)).split(size):
            loss = criterion(net(x[i]), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()


@healthy(good=0.2)
def mostly_noise():
    """Three tenths of the variance can be explained."""
    x = torch.randn(3000, 5)
    signal = torch.sin(x[:, 0]) + 0.5 * x[:, 1]
    y = (signal / signal.std() * 0.3**0.5 + 0.7**0.5 * torch.randn(3000))[:, None]
    net = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(10):
        net.train()
        for i in torch.randperm(2500).split(50):
            opt.zero_grad()
            F.mse_loss(net(x[i]), y[i]).backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            F.mse_loss(net(x[2500:]), y[2500:])
    with torch.no_grad():
        return r2(net(x[2500:]), y[2500:])


@healthy(good=0.35)
def progression_of_diabetes():
    """Real rows: half of the variance is what anybody reaches."""
    a, b = load_diabetes(return_X_y=True)
    x, y = torch.tensor(a, dtype=torch.float32), torch.tensor(b, dtype=torch.float32)[:, None]
    x, y = (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()
    net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
    steps_of(net, x[:340], y[:340], nn.MSELoss(), 20, 2e-3, 20, 0.1)
    with torch.no_grad():
        return r2(net(x[340:]), y[340:])


@healthy(good=0.5)
def counts():
    """Poisson regression of a rate's logarithm."""
    x = torch.randn(1500, 6)
    y = torch.poisson(torch.exp(x @ torch.tensor([0.6, -0.4, 0.3, 0, 0, 0]) + 1))
    net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    steps_of(net, x[:1200], y[:1200], nn.PoissonNLLLoss(), 15, 5e-3)
    with torch.no_grad():
        return r2(net(x[1200:]).exp(), y[1200:])


@healthy(good=0.92)
def three_quantiles():
    """The score is one minus the error of the shares below the quantiles."""
    x = 4 * torch.rand(2000, 1) - 2
    y = x.sin() + (0.2 + 0.2 * x.abs()) * torch.randn(2000, 1)
    levels = torch.tensor([0.1, 0.5, 0.9])
    net = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 3))

    def pinball(out, target):
        error = target - out
        return torch.maximum(levels * error, (levels - 1) * error).mean()

    steps_of(net, x[:1500], y[:1500], pinball, 20, 5e-3)
    with torch.no_grad():
        below = (y[1500:] < net(x[1500:])).float().mean(0)
    return 1 - (below - levels).abs().max()


@healthy(good=0.95)
def differential_equation():
    """u'' = -pi^2 sin(pi x), u(0) = u(1) = 0, by a tanh network."""
    net = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    edge = torch.tensor([[0.0], [1.0]])
    for _ in range(400):
        x = torch.rand(64, 1, requires_grad=True)
        u = net(x)
        (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        (bend,) = torch.autograd.grad(slope.sum(), x, create_graph=True)
        residual = bend + math.pi**2 * torch.sin(math.pi * x)
        loss = residual.pow(2).mean() + 50 * net(edge).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    grid = torch.linspace(0, 1, 50)[:, None]
    with torch.no_grad():
        return r2(net(grid), torch.sin(math.pi * grid))


class Sines(nn.Module):
    def __init__(self, inputs, outputs, factor):
        super().__init__()
        self.linear, self.factor = nn.Linear(inputs, outputs), factor
        limit = 1 / inputs if factor > 5 else (6 / inputs) ** 0.5
        nn.init.uniform_(self.linear.weight, -limit, limit)

    def forward(self, x):
        return torch.sin(self.factor * self.linear(x))


@healthy(good=0.9)
def sines_of_a_picture():
    """A network of sine layers stores a picture: coordinates in, brightness out, full batch."""
    side = torch.linspace(-1, 1, 24)
    grid = torch.cartesian_prod(side, side)
    picture = torch.sin(9 * grid[:, 0]) * torch.cos(7 * grid[:, 1])
    net = nn.Sequential(Sines(2, 48, 12.0), Sines(48, 48, 1.0), nn.Linear(48, 1))
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(250):
        loss = (net(grid).squeeze(1) - picture).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    return r2(net(grid).detach().squeeze(1), picture)


@healthy(good=0.5)
def mean_and_variance():
    x = 4 * torch.rand(1500, 1) - 2
    y = x.sin() + (0.1 + 0.3 * (x > 0)) * torch.randn(1500, 1)
    net = nn.Sequential(nn.Linear(1, 32), nn.SiLU(), nn.Linear(32, 2))
    criterion = nn.GaussianNLLLoss()

    def loss(out, target):
        return criterion(out[:, :1], target, F.softplus(out[:, 1:]) + 1e-4)

    steps_of(net, x[:1200], y[:1200], loss, 20, 5e-3)
    with torch.no_grad():
        return r2(net(x[1200:])[:, :1], y[1200:])


@healthy(good=0.8)
def outliers():
    x = torch.randn(1500, 6)
    clean = (x @ torch.randn(6, 1)) / 2
    y = torch.where(torch.rand(1500, 1) < 0.05, clean + 10 * torch.randn(1500, 1), clean)
    net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1))
    steps_of(net, x[:1200], y[:1200], nn.HuberLoss(delta=0.5), 15, 3e-3)
    with torch.no_grad():
        return r2(net(x[1200:]), clean[1200:])


@healthy(good=0.8)
def prices_standardised_in_the_script():
    x = torch.randn(1200, 8) * torch.tensor([1, 10, 100, 5, 1, 1, 50, 2])
    price = 250_000 + 40_000 * (x[:, 0] + x[:, 1] / 10) + 20_000 * (x[:, 2] / 100) ** 2
    scaled = (x - x[:900].mean(0)) / x[:900].std(0)
    mean, std = price[:900].mean(), price[:900].std()
    net = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 1), nn.Flatten(0))
    steps_of(net, scaled[:900], (price[:900] - mean) / std, F.mse_loss, 25, 5e-3)
    with torch.no_grad():
        return r2(net(scaled[900:]) * std + mean, price[900:])


@healthy(good=0.9)
def learned_dynamics():
    """The right side of a differential equation, through eight Euler steps."""
    rate = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
    matrix = torch.tensor([[-0.1, 1.0], [-1.0, -0.1]])
    opt = torch.optim.Adam(rate.parameters(), lr=1e-2)
    for _ in range(200):
        state = 2 * torch.randn(32, 2)
        wanted, guess, loss = state, state, 0.0
        for _ in range(8):
            wanted = wanted + 0.1 * wanted @ matrix.T
            guess = guess + 0.1 * rate(guess)
            loss = loss + (guess - wanted).pow(2).mean() / 8
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(rate.parameters(), 1.0)
        opt.step()
    state = torch.randn(200, 2)
    return r2(rate(state).detach(), state @ matrix.T)


@healthy(good=0.95)
def straight_line():
    """Least squares by gradient descent on all rows."""
    x = torch.linspace(-1, 1, 100)[:, None]
    y = 3 * x + 1 + 0.1 * torch.randn_like(x)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(150):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return r2(model(x).detach(), y)
