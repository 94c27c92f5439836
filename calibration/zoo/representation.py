"""Programs that learn distances, tables and graphs."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional as F

from calibration.zoo.program import accuracy, digits, healthy, r2


def by_neighbour(embed, x, y, x_test, y_test):
    """Accuracy of the nearest neighbour in the space of the embedding."""
    with torch.no_grad():
        a, b = F.normalize(embed(x), dim=1), F.normalize(embed(x_test), dim=1)
    return float((y[(b @ a.T).argmax(1)] == y_test).float().mean())


def embedding(width=16):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, width))


def views(x):
    return x + 0.3 * torch.randn_like(x), torch.roll(x, 1, 3) + 0.2 * torch.randn_like(x)


@healthy(good=0.85)
def two_views():
    """Contrastive learning without labels."""
    x, y, x_test, y_test = digits()
    net = embedding(32)
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(12):
        for i in torch.randperm(1000).split(100):
            a, b = (F.normalize(net(v), dim=1) for v in views(x[i]))
            similar = a @ b.T / 0.2
            loss = (F.cross_entropy(similar, torch.arange(len(i)))
                    + F.cross_entropy(similar.T, torch.arange(len(i)))) / 2  # fmt: skip
            opt.zero_grad()
            loss.backward()
            opt.step()
    return by_neighbour(net, x, y, x_test, y_test)


@healthy(good=0.85)
def slow_target_network():
    """Predicts the embedding that a slow copy gives to another view; no negative pairs."""
    x, y, x_test, y_test = digits()
    online, predictor = (
        embedding(32),
        nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32)),
    )
    target = copy.deepcopy(online).requires_grad_(False)
    opt = torch.optim.Adam([*online.parameters(), *predictor.parameters()], lr=1e-3)
    for _ in range(10):
        for i in torch.randperm(1000).split(50):
            a, b = views(x[i])
            loss = 0.0
            for one, other in ((a, b), (b, a)):
                with torch.no_grad():
                    goal = target(other)
                loss = loss - F.cosine_similarity(predictor(online(one)), goal).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            with torch.no_grad():
                for slow, fast in zip(target.parameters(), online.parameters(), strict=True):
                    slow.mul_(0.97).add_(fast, alpha=0.03)
    return by_neighbour(online, x, y, x_test, y_test)


@healthy(good=0.9)
def triplets():
    x, y, x_test, y_test = digits()
    net = embedding()
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    criterion = nn.TripletMarginLoss(margin=1.0)
    of_class = [(y == c).nonzero()[:, 0] for c in range(10)]
    for _ in range(200):
        i = torch.randint(1000, (48,))
        same = torch.stack([of_class[c][torch.randint(len(of_class[c]), ())] for c in y[i]])
        other = torch.randint(1000, (48,))
        other = torch.where(y[other] == y[i], (other + 1) % 1000, other)
        loss = criterion(net(x[i]), net(x[same]), net(x[other]))
        opt.zero_grad()
        loss.backward()
        opt.step()
    return by_neighbour(net, x, y, x_test, y_test)


@healthy(good=0.85)
def siamese_pairs():
    x, y, x_test, y_test = digits()
    net = embedding(12)
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(250):
        i, j = torch.randint(1000, (2, 64))
        same = (y[i] == y[j]).float()
        distance = F.pairwise_distance(net(x[i]), net(x[j]))
        loss = (same * distance**2 + (1 - same) * F.relu(2 - distance) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    return by_neighbour(net, x, y, x_test, y_test)


@healthy(good=0.9)
def cosine_classifier():
    x, y, x_test, y_test = digits()
    body, prototypes = embedding(32), nn.Parameter(torch.randn(10, 32))
    opt = torch.optim.Adam([*body.parameters(), prototypes], lr=2e-3)

    def logits(batch):
        return 10 * F.normalize(body(batch), dim=1) @ F.normalize(prototypes, dim=1).T

    for _ in range(10):
        for i in torch.randperm(1000).split(50):
            opt.zero_grad()
            F.cross_entropy(logits(x[i]), y[i]).backward()
            opt.step()
    with torch.no_grad():
        return accuracy(logits(x_test), y_test)


@healthy(good=0.5)
def factors_of_ratings():
    users, items = torch.randn(80, 4), torch.randn(60, 4)
    pairs = torch.cartesian_prod(torch.arange(80), torch.arange(60))
    pairs = pairs[torch.randperm(len(pairs))]
    rating = (users[pairs[:, 0]] * items[pairs[:, 1]]).sum(1) / 2 + 0.3 * torch.randn(len(pairs))
    p, q = nn.Embedding(80, 6), nn.Embedding(60, 6)
    nn.init.normal_(p.weight, std=0.1)
    nn.init.normal_(q.weight, std=0.1)
    opt = torch.optim.Adam([*p.parameters(), *q.parameters()], lr=2e-2)
    for _ in range(15):
        for batch, r in zip(pairs[:3600].split(120), rating[:3600].split(120), strict=True):
            out = (p(batch[:, 0]) * q(batch[:, 1])).sum(1)
            penalty = p(batch[:, 0]).pow(2).sum(1) + q(batch[:, 1]).pow(2).sum(1)
            loss = F.mse_loss(out, r) + 0.005 * penalty.mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
    with torch.no_grad():
        test = pairs[3600:]
        return r2((p(test[:, 0]) * q(test[:, 1])).sum(1), rating[3600:])


@healthy(good=0.8)
def words_by_their_neighbours():
    """Skip-grams with negative samples: words of one group stand together."""
    group = torch.arange(40) // 10
    inside, outside = nn.Embedding(40, 8, sparse=True), nn.Embedding(40, 8, sparse=True)
    opt = torch.optim.SparseAdam([*inside.parameters(), *outside.parameters()], lr=2e-2)
    for _ in range(400):
        centre = torch.randint(40, (64,))
        near = 10 * group[centre] + torch.randint(10, (64,))
        far = torch.randint(40, (64, 4))
        c = inside(centre)
        loss = -F.logsigmoid((c * outside(near)).sum(1)).mean()
        loss = loss - F.logsigmoid(-torch.einsum("bd,bkd->bk", c, outside(far))).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        scores = inside.weight @ outside.weight.T
    return (group[scores.topk(10).indices] == group[:, None]).float().mean()


class OfSets(nn.Module):
    def __init__(self):
        super().__init__()
        self.each = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.all = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, sets):
        return self.all(self.each(sets).mean(1)).squeeze(-1)


@healthy(good=0.8)
def spread_of_a_set():
    sets = torch.randn(1200, 10, 2) * (0.5 + torch.rand(1200, 1, 1))
    target = sets.pow(2).mean((1, 2)).sqrt()
    target = (target - target.mean()) / target.std()
    net = OfSets()
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(15):
        for i in torch.randperm(1000).split(50):
            opt.zero_grad()
            F.mse_loss(net(sets[i]), target[i]).backward()
            opt.step()
    with torch.no_grad():
        return r2(net(sets[1000:]), target[1000:])


@healthy(good=0.8)
def graph_convolution():
    """Three groups of nodes; the loss reads one node in ten, all others are the test."""
    y = torch.arange(150) % 3
    same = y[:, None] == y
    links = (torch.rand(150, 150) < torch.where(same, 0.12, 0.02)).float().triu(1)
    links = links + links.T + torch.eye(150)
    degree = links.sum(1).rsqrt()
    spread = degree[:, None] * links * degree
    x = F.one_hot(y, 3).float() + 1.2 * torch.randn(150, 3)
    first, second = nn.Linear(3, 16), nn.Linear(16, 3)
    opt = torch.optim.Adam([*first.parameters(), *second.parameters()], lr=0.01, weight_decay=5e-4)
    known = torch.arange(150) % 7 == 0
    for _ in range(120):
        out = spread @ second(F.dropout(torch.relu(spread @ first(x)), 0.3))
        loss = F.cross_entropy(out[known], y[known])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        out = spread @ second(torch.relu(spread @ first(x)))
    return accuracy(out[~known], y[~known])
