"""Loops that train several networks, or compare outputs with each other: adversaries, actor and
critic, contrastive losses, autoencoders."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.samples import batches, classes, mlp


class Generator(nn.Sequential):
    """Points of the plane from noise."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2))


class Discriminator(nn.Sequential):
    """Whether a point of the plane is real."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(2, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))


def _real() -> Tensor:
    return torch.randn(32, 2) * 0.3 + torch.tensor([1.0, -0.5])


def gan(sick: bool, detached: bool = True) -> list[float]:
    """Generator against discriminator; the distance of the means of fakes and real points is
    returned. Where the fake is not detached for the discriminator, the generator's gradient is
    cleared afterwards. Sick: it is detached in the generator's own loss."""
    torch.manual_seed(0)
    G, D, losses = Generator(), Discriminator(), []
    of_g = torch.optim.Adam(G.parameters(), lr=5e-3, betas=(0.5, 0.99))
    of_d = torch.optim.Adam(D.parameters(), lr=5e-3, betas=(0.5, 0.99))
    bce, ones, zeros = F.binary_cross_entropy_with_logits, torch.ones(32, 1), torch.zeros(32, 1)
    for _ in range(150):
        real, fake = _real(), G(torch.randn(32, 4))
        of_d.zero_grad()
        (bce(D(real), ones) + bce(D(fake.detach() if detached else fake), zeros)).backward(
            retain_graph=not detached
        )
        of_d.step()
        of_g.zero_grad()
        fake = fake if detached else G(torch.randn(32, 4))
        bce(D(fake.detach() if sick else fake), ones).backward()
        of_g.step()
        losses.append((fake.mean(0) - torch.tensor([1.0, -0.5])).norm().item())
    return losses


def wasserstein_gan(sick: bool) -> list[float]:
    """A critic with a gradient penalty, which needs second derivatives, stepped three times for
    each step of the generator. No sick version."""
    torch.manual_seed(0)
    G, D, losses = Generator(), Discriminator(), []
    of_g = torch.optim.Adam(G.parameters(), lr=1e-2, betas=(0.0, 0.9))
    of_d = torch.optim.Adam(D.parameters(), lr=1e-2, betas=(0.0, 0.9))
    for k in range(120):
        real, fake = _real(), G(torch.randn(32, 4)).detach()
        share = torch.rand(32, 1)
        between = (share * real + (1 - share) * fake).requires_grad_()
        slope = torch.autograd.grad(D(between).sum(), between, create_graph=True)[0]
        of_d.zero_grad()
        loss = D(fake).mean() - D(real).mean() + 10 * (slope.norm(dim=1) - 1).square().mean()
        loss.backward()
        of_d.step()
        if k % 3 == 2:
            of_g.zero_grad()
            made = G(torch.randn(32, 4))
            (-D(made).mean()).backward()
            of_g.step()
            losses.append((made.mean(0) - torch.tensor([1.0, -0.5])).norm().item())
    return losses


class Actor(nn.Sequential):
    """An action from a state."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 1), nn.Tanh())


class Critic(nn.Module):
    """The value of an action in a state."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 24), nn.Linear(24, 1)

    def forward(self, state: Tensor, action: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(torch.cat([state, action], 1))))


def actor_critic(sick: bool) -> list[float]:
    """Deterministic policy gradient with a target critic that follows slowly; minus the mean reward
    of the actor is returned. Sick: the actor's loss gets a detached action."""
    torch.manual_seed(0)
    actor, critic, losses = Actor(), Critic(), []
    target = copy.deepcopy(critic).requires_grad_(False)
    of_actor = torch.optim.Adam(actor.parameters(), lr=5e-3)
    of_critic = torch.optim.Adam(critic.parameters(), lr=1e-2)
    for _ in range(150):
        state, following = torch.randn(32, 3), torch.randn(32, 3)
        with torch.no_grad():
            action = (actor(state) + 0.3 * torch.randn(32, 1)).clamp(-1, 1)
            reward = -(action - state[:, :1].tanh()).square()
            wanted = reward + 0.3 * target(following, actor(following))
        of_critic.zero_grad()
        F.mse_loss(critic(state, action), wanted).backward()
        of_critic.step()
        of_actor.zero_grad()
        action = actor(state)
        (-critic(state, action.detach() if sick else action).mean()).backward()
        of_actor.step()
        with torch.no_grad():
            for slow, fast in zip(target.parameters(), critic.parameters(), strict=True):
                slow.lerp_(fast, 0.05)
        losses.append((action.detach() - state[:, :1].tanh()).square().mean().item())
    return losses


class Encoder(nn.Module):
    """Unit vectors of inputs."""

    def __init__(self, inputs: int = 8) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(inputs, 32), nn.Linear(32, 8)

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.second(torch.relu(self.first(x))), dim=1)


def info_nce(sick: bool) -> list[float]:
    """Two noisy views of each sample; the right partner is told from all others of the batch. No
    sick version."""
    x, _ = classes()
    torch.manual_seed(0)
    model, losses = Encoder(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        one = model(x[rows] + 0.1 * torch.randn(len(rows), 8))
        two = model(x[rows] + 0.1 * torch.randn(len(rows), 8))
        loss = F.cross_entropy(one @ two.T / 0.2, torch.arange(len(rows)))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class Clip(nn.Module):
    """Pictures and texts in one space, with a learned temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.picture, self.text = Encoder(8), Encoder(5)
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, picture: Tensor, text: Tensor) -> Tensor:
        return self.scale.exp() * self.picture(picture) @ self.text(text).T


def clip(sick: bool) -> list[float]:
    """The mean of two cross-entropies, over rows and over columns of one matrix. No sick
    version."""
    x, _ = classes()
    torch.manual_seed(0)
    model, losses, mixing = Clip(), [], torch.randn(8, 5)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        scores, right = model(x[rows], x[rows] @ mixing), torch.arange(len(rows))
        loss = (F.cross_entropy(scores, right) + F.cross_entropy(scores.T, right)) / 2
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def triplets(sick: bool) -> list[float]:
    """Anchor, positive and negative through one encoder. No sick version."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = Encoder(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    groups = [torch.nonzero(y == k)[:, 0] for k in range(3)]
    for _ in range(100):
        near, far = torch.randperm(3)[:2].tolist()
        draw = torch.randint(100, (3, 32))
        anchor, positive = x[groups[near][draw[0]]], x[groups[near][draw[1]]]
        negative = x[groups[far][draw[2]]]
        optimizer.zero_grad()
        loss = F.triplet_margin_loss(model(anchor), model(positive), model(negative), margin=0.5)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class Variational(nn.Module):
    """A variational autoencoder with a code of two numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.code = nn.Linear(8, 32), nn.Linear(32, 4)
        self.decoder = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 8))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.code(torch.relu(self.encoder(x))).chunk(2, 1)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decoder(code), mean, log_variance


def variational_autoencoder(sick: bool) -> list[float]:
    """Reconstruction and KL divergence. No sick version."""
    x = torch.randn(600, 2, generator=torch.Generator().manual_seed(1)) @ torch.randn(2, 8)
    torch.manual_seed(0)
    x = torch.randn(600, 2) @ torch.randn(2, 8)
    model, losses = Variational(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        output, mean, log_variance = model(x[rows])
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1).mean()
        loss = F.mse_loss(output, x[rows], reduction="sum") / len(rows) + divergence
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def autoencoder(sick: bool) -> list[float]:
    """Inputs are targets. Sick: the code is detached, so that the encoder stays as it started."""
    torch.manual_seed(0)
    x = torch.randn(600, 2) @ torch.randn(2, 8)
    encoder, decoder = mlp(2), nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 8))
    losses = []
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-2)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        code = encoder(x[rows])
        loss = F.mse_loss(decoder(code.detach() if sick else code), x[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def mean_teacher(sick: bool) -> list[float]:
    """A teacher is the running average of the student, and gives targets for rows without labels.
    No sick version."""
    x, y = classes()
    model = mlp()
    teacher, losses = copy.deepcopy(model).requires_grad_(False), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(300, 32, epochs=9):
        free = torch.randint(300, 600, (32,))
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        with torch.no_grad():
            wanted = teacher(x[free]).softmax(1)
        loss = loss + 0.3 * F.mse_loss(model(x[free]).softmax(1), wanted)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(teacher.parameters(), model.parameters(), strict=True):
                slow.lerp_(fast, 0.05)
        losses.append(loss.item())
    return losses
