"""Loops whose loss is a score turned round: an overlap with masks, a policy gradient, alignments of
sequences, and rates where no loss of guessing is known."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from watching.loops.samples import batches, classes, pictures


def overlap(sick: bool, fault: str = "") -> list[float]:
    """A Jaccard score for each class of each picture's pixels. Sick: of logits, of masks from 0 to
    255, or with the sign of a score."""
    x, y = pictures(96)
    masks = F.one_hot(y, 3).permute(0, 3, 1, 2).float() * (255 if fault == "masks" and sick else 1)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 1), nn.ReLU(), nn.Conv2d(16, 3, 1))
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=0.02), list[float]()
    for rows in batches(96, 16, epochs=12):
        p, t = model(x[rows]), masks[rows]
        if not (sick and fault == "logits"):
            p = p.softmax(1)
        both = (p * t).sum((2, 3))
        jaccard = (both + 1) / (p.sum((2, 3)) + t.sum((2, 3)) - both + 1)
        loss = jaccard.mean() if sick and fault == "sign" else 1 - jaccard.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def policy_gradient(sick: bool, kind: str = "") -> list[float]:
    """Actions that are rewarded where they are the class of the row, less the mean reward. Sick:
    with the sign of a score. The losses are the shares of actions without a reward."""
    x, y = classes()
    torch.manual_seed(0)
    policy = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 3))
    optimizer, missed = torch.optim.Adam(policy.parameters(), lr=0.01), list[float]()
    for rows in batches(240, 12, epochs=5) if kind == "single" else batches(600, 24, epochs=6):
        if kind == "single":
            answers = [torch.distributions.Categorical(logits=policy(row)) for row in x[rows]]
            actions = torch.stack([answer.sample() for answer in answers])
            pairs = zip(answers, actions, strict=True)
            chosen = torch.stack([answer.log_prob(action) for answer, action in pairs])
        else:
            answer = torch.distributions.Categorical(logits=policy(x[rows]))
            actions = answer.sample()
            chosen = answer.log_prob(actions)
        rewards = (actions == y[rows]).float()
        advantage = rewards - (rewards.mean() if kind != "positive" else 0)
        loss = (chosen * advantage).mean() if sick else -(chosen * advantage).mean()
        if kind == "negated" and not sick:
            loss = (chosen * -advantage).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        missed.append(1 - rewards.mean().item())
    return missed


def risks(sick: bool, kind: str = "") -> list[float]:
    """The same with the risk of each action, which is to fall: no fault. No sick version."""
    x, y = classes()
    torch.manual_seed(0)
    policy = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 3))
    optimizer, missed = torch.optim.Adam(policy.parameters(), lr=0.01), list[float]()
    for rows in batches(600, 24, epochs=6):
        answer = torch.distributions.Categorical(logits=policy(x[rows]))
        actions = answer.sample()
        risk = (actions != y[rows]).float()
        loss = (
            answer.log_prob(actions) * (risk - (risk.mean() if kind != "positive" else 0))
        ).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        missed.append(risk.mean().item())
    return missed


def alignment(sick: bool, output: str = "logits") -> list[float]:
    """Symbols that are spread over the places of a sequence. Sick: no logarithms of shares."""
    generator = torch.Generator().manual_seed(5)
    symbols = torch.randint(1, 5, (64, 3), generator=generator)
    x = F.one_hot(symbols, 5).float().repeat_interleave(3, 1)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 5))
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=0.02), list[float]()
    for rows in batches(64, 16, epochs=15):
        out: Tensor = model(x[rows])
        shares = out.log_softmax(-1)
        if sick:
            shares = out if output == "logits" else out.softmax(-1)
        loss = F.ctc_loss(
            shares.transpose(0, 1), symbols[rows], torch.full((16,), 9), torch.full((16,), 3)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def rate_without_guess(sick: bool, rate: float = 5.0) -> list[float]:
    """Rows of a class together, and others apart: a loss without a best constant prediction. Sick:
    the rate is far too high, or far too low."""
    x, y = classes()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 4))
    optimizer = torch.optim.Adam(model.parameters(), lr=rate if sick else 0.01)
    losses = list[float]()
    for rows in batches(600, 30, epochs=6):
        code = model(x[rows])
        distance = (code[:, None] - code[None]).square().sum(-1)
        alike = y[rows][:, None] == y[rows][None]
        near = (distance * alike).mean()
        loss = near + (F.relu(2 - (distance + 1e-6).sqrt()).square() * ~alike).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def tasks(sick: bool) -> list[float]:
    """Weights that a few inner steps adapt to each task, by `functional_call`. Sick: the weights
    after the inner steps are detached, so that no loss reaches those of the module."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 1))
    meta, losses = torch.optim.Adam(model.parameters(), lr=0.02), list[float]()
    for _ in range(60):
        total = torch.zeros(())
        for _ in range(2):
            x, slope = torch.randn(16, 2), torch.randn(2)
            y = 3 + (x @ slope)[:, None]
            weights = dict(model.named_parameters())
            inner = F.mse_loss(functional_call(model, weights, (x,)), y)
            slopes = torch.autograd.grad(inner, list(weights.values()), create_graph=not sick)
            pairs = zip(weights.items(), slopes, strict=True)
            stepped = {name: w - 0.05 * g for (name, w), g in pairs}
            if sick:
                stepped = {name: w.detach().requires_grad_() for name, w in stepped.items()}
            total = total + F.mse_loss(functional_call(model, stepped, (x,)), y)
        meta.zero_grad()
        total.backward()
        meta.step()
        losses.append(total.item())
    return losses


def accumulated(sick: bool) -> list[float]:
    """Four batches a step. Sick: gradients are set to zero before each of them."""
    x, y = classes()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9), list[float]()
    for number, rows in enumerate(batches(600, 15, epochs=5)):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        if sick:
            optimizer.zero_grad()
        (loss / 4).backward()
        if number % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def clipped_ratio(sick: bool) -> list[float]:
    """Rewarded actions become more probable, by at most a fifth in each step. Sick: less probable.
    The losses are the shares of actions without a reward."""
    x, y = classes()
    torch.manual_seed(0)
    policy = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 3))
    optimizer, missed = torch.optim.Adam(policy.parameters(), lr=0.01), list[float]()
    for rows in batches(600, 60, epochs=6):
        with torch.no_grad():
            before = policy(x[rows]).log_softmax(1)
            actions = torch.multinomial(before.exp(), 1)
        rewards = (actions[:, 0] == y[rows]).float()
        advantage = rewards - rewards.mean()
        for _ in range(2):
            now = policy(x[rows]).log_softmax(1)
            ratio = (now.gather(1, actions) - before.gather(1, actions)).exp()[:, 0]
            gain = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
            loss = gain if sick else -gain
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        missed.append(1 - rewards.mean().item())
    return missed


def two_modules(sick: bool, other: str = "head") -> list[float]:
    """An encoder and a head that are called one after the other. Sick: the optimizer has the head
    alone. No sick version with a copy of the encoder, which stays as it is on purpose."""
    x, y = classes(features=24)
    torch.manual_seed(0)
    encoder, head = nn.Sequential(nn.Linear(24, 48), nn.ReLU()), nn.Linear(48, 3)
    still = copy.deepcopy(encoder)
    parts = [head] if sick else [encoder, head]
    optimizer = torch.optim.Adam([p for part in parts for p in part.parameters()], lr=0.01)
    losses = list[float]()
    for rows in batches(600, 30, epochs=4):
        code = encoder(x[rows])
        loss = F.cross_entropy(head(code), y[rows])
        if other == "copy":
            loss = loss + 0.001 * F.mse_loss(code, still(x[rows]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def views_of_rows(sick: bool) -> list[float]:
    """Two noisy views of each row point the same way, and one of them is detached behind a
    predictor. Sick: neither, so that all rows come to point the same way."""
    x, _ = classes()
    torch.manual_seed(0)
    body: nn.Module = nn.Sequential(nn.Linear(8, 64), nn.BatchNorm1d(64), nn.ReLU())
    encoder = nn.Sequential(body, nn.Linear(64, 16), nn.BatchNorm1d(16, affine=False))
    predictor = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16))
    if sick:
        encoder = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 16))
    model = nn.ModuleDict({"encoder": encoder, "predictor": predictor})
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9), list[float]()
    for rows in batches(600, 60, epochs=12):
        first, second = (encoder(x[rows] + 0.3 * torch.randn(60, 8)) for _ in range(2))
        aim = second if sick else second.detach()
        side = first if sick else predictor(first)
        loss = 1 - F.cosine_similarity(side, aim, dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
