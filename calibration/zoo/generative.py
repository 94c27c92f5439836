"""Programs that model their inputs."""

from __future__ import annotations

import math

import torch
from sklearn.datasets import make_moons
from torch import nn
from torch.nn import functional as F

from calibration.zoo.program import digits, healthy, r2


@healthy(good=0.5)
def denoising_autoencoder():
    x, _, x_test, _ = digits()
    x, x_test = x.flatten(1), x_test.flatten(1)
    net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 16), nn.ReLU(),
                        nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 64))  # fmt: skip
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(25):
        for i in torch.randperm(1000).split(50):
            opt.zero_grad()
            F.mse_loss(net(x[i] + 0.3 * torch.randn_like(x[i])), x[i]).backward()
            opt.step()
    with torch.no_grad():
        return r2(net(x_test), x_test)


class Variational(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.mean, self.log_var = nn.Linear(64, 8), nn.Linear(64, 8)
        self.decoder = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x):
        h = self.encoder(x)
        mean, log_var = self.mean(h), self.log_var(h)
        code = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        return self.decoder(code), mean, log_var


@healthy(good=0.35)
def variational_autoencoder():
    x, _, x_test, _ = digits()
    x, x_test = x.flatten(1), x_test.flatten(1)
    net = Variational()
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(20):
        for i in torch.randperm(1000).split(50):
            out, mean, log_var = net(x[i])
            error = F.mse_loss(out, x[i], reduction="sum") / len(i)
            kl = -0.5 * (1 + log_var - mean.pow(2) - log_var.exp()).sum(1).mean()
            opt.zero_grad()
            (error + kl).backward()
            opt.step()
    with torch.no_grad():
        return r2(net.decoder(net.mean(net.encoder(x_test))), x_test)


def ring(count):
    angle = 2 * math.pi * torch.rand(count)
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(count, 2)


@healthy(good=0.6)
def adversarial_ring():
    """The score is the share of generated points near a ring, all around it."""
    generator = nn.Sequential(
        nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2)
    )
    critic = nn.Sequential(
        nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)
    )
    opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.99))
    bce = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)
    for _ in range(900):
        real, fake = ring(64), generator(torch.randn(64, 4))
        opt_d.zero_grad()
        (bce(critic(real), ones) + bce(critic(fake.detach()), zeros)).backward()
        opt_d.step()
        opt_g.zero_grad()
        bce(critic(fake), ones).backward()
        opt_g.step()
    with torch.no_grad():
        points = generator(torch.randn(500, 4))
    near = (points.norm(dim=1) - 1).abs() < 0.3
    quarters = torch.stack([(points[:, 0] > 0) == a for a in (True, False)])
    spread = min(float(q.float().mean()) for q in quarters) > 0.1
    return near.float().mean() if spread else 0.0


class Coupling(nn.Module):
    def __init__(self, flip):
        super().__init__()
        self.flip = flip
        self.net = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 2))

    def forward(self, x):
        a, b = x.flip(1).chunk(2, 1) if self.flip else x.chunk(2, 1)
        scale, shift = self.net(a).chunk(2, 1)
        scale = torch.tanh(scale)
        both = torch.cat([a, b * scale.exp() + shift], 1)
        return (both.flip(1) if self.flip else both), scale.sum(1)


@healthy(good=0.4)
def flow_of_moons():
    """Gain in log-likelihood over a normal distribution, in nats a point."""
    points = torch.tensor(make_moons(1000, noise=0.08, random_state=0)[0], dtype=torch.float32)
    points = (points - points.mean(0)) / points.std(0)
    layers = nn.ModuleList(Coupling(bool(i % 2)) for i in range(6))
    opt = torch.optim.Adam(layers.parameters(), lr=5e-3)
    for _ in range(12):
        for i in torch.randperm(1000).split(50):
            z, logdet = points[i], 0.0
            for layer in layers:
                z, more = layer(z)
                logdet = logdet + more
            likelihood = -0.5 * z.pow(2).sum(1) - math.log(2 * math.pi) + logdet
            loss = -likelihood.mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
    return 1 + math.log(2 * math.pi) - loss.item()


@healthy(good=0.3)
def denoising_diffusion():
    """Predicts the noise in points of a ring: most of it cannot be known."""
    net = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))
    opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
    kept = torch.cos(torch.linspace(0.05, 1.5, 50)) ** 2
    losses = []
    for _ in range(500):
        clean, noise, t = ring(128), torch.randn(128, 2), torch.randint(50, (128,))
        a = kept[t, None]
        noisy = a.sqrt() * clean + (1 - a).sqrt() * noise
        loss = F.mse_loss(net(torch.cat([noisy, t[:, None] / 50], 1)), noise)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return 1 - sum(losses[-50:]) / 50


@healthy(good=0.38)
def contrastive_divergence_by_hand():
    """A restricted Boltzmann machine without autograd."""
    x = (digits()[0].flatten(1) > 0).float()
    w, a, b = 0.01 * torch.randn(64, 32), torch.zeros(64), torch.zeros(32)
    for _ in range(20):
        for i in torch.randperm(1000).split(50):
            v = x[i]
            h = torch.sigmoid(v @ w + b)
            v_model = torch.sigmoid(torch.bernoulli(h) @ w.T + a)
            h_model = torch.sigmoid(v_model @ w + b)
            w += 0.1 * (v.T @ h - v_model.T @ h_model) / len(i)
            a += 0.1 * (v - v_model).mean(0)
            b += 0.1 * (h - h_model).mean(0)
    rebuilt = torch.sigmoid(torch.sigmoid(x @ w + b) @ w.T + a)
    return r2(rebuilt, x)


@healthy(good=0.9)
def attractor_memory():
    """Stored patterns are the fixed points of learned couplings; the score is what is recalled."""
    patterns = torch.randint(0, 2, (6, 40)).float() * 2 - 1
    couplings = nn.Parameter(0.01 * torch.randn(40, 40))
    opt = torch.optim.SGD([couplings], lr=0.5)
    for _ in range(120):
        corrupted = patterns * torch.where(torch.rand_like(patterns) < 0.1, -1.0, 1.0)
        weights = (couplings + couplings.T) * (1 - torch.eye(40))
        loss = F.softplus(-patterns * (corrupted @ weights)).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        state = patterns * torch.where(torch.rand_like(patterns) < 0.1, -1.0, 1.0)
        for _ in range(5):
            state = torch.sign(state @ weights)
    return (state == patterns).float().mean()


@healthy(good=0.4)
def mixture_density():
    """Two branches of a function: a mixture of normal distributions; gain in log-likelihood."""
    x = 2 * torch.rand(1200, 1) - 1
    y = torch.where(torch.rand(1200, 1) < 0.5, x, -x) + 0.1 * torch.randn(1200, 1)
    y = y / y.std()
    net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 9))
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(20):
        for i in torch.randperm(1200).split(60):
            weight, mean, log_std = net(x[i]).chunk(3, 1)
            normal = torch.distributions.Normal(mean, log_std.clamp(-4, 3).exp())
            joint = F.log_softmax(weight, 1) + normal.log_prob(y[i])
            loss = -joint.logsumexp(1).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
    return 0.5 * math.log(2 * math.pi * math.e) - loss.item()


@healthy(good=0.5)
def sparse_codes():
    """An autoencoder with an L1 penalty on wide codes."""
    x, _, x_test, _ = digits()
    x, x_test = x.flatten(1), x_test.flatten(1)
    enc, dec = nn.Linear(64, 128), nn.Linear(128, 64)
    opt = torch.optim.Adam([*enc.parameters(), *dec.parameters()], lr=2e-3)
    for _ in range(15):
        for i in torch.randperm(1000).split(50):
            code = F.relu(enc(x[i]))
            loss = F.mse_loss(dec(code), x[i]) + 3e-3 * code.abs().mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
    with torch.no_grad():
        return r2(dec(F.relu(enc(x_test))), x_test)
