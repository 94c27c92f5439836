"""Rows of numbers and of categories."""

from __future__ import annotations

import copy

import torch
from sklearn.datasets import load_wine, make_classification
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from calibration.zoo.program import accuracy, healthy, tumours


class WideAndDeep(nn.Module):
    def __init__(self, sizes, numbers):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(n, 4) for n in sizes)
        self.wide = nn.Linear(numbers, 1)
        self.deep = nn.Sequential(
            nn.Linear(4 * len(sizes) + numbers, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU()
        )
        self.out = nn.Linear(16, 1)

    def forward(self, categories, numbers):
        parts = [table(categories[:, i]) for i, table in enumerate(self.tables)]
        deep = self.deep(torch.cat([*parts, numbers], 1))
        return (self.wide(numbers) + self.out(deep)).squeeze(1)


@healthy(good=0.85)
def wide_and_deep():
    categories = torch.stack([torch.randint(n, (1500,)) for n in (12, 5, 30)], 1)
    numbers = torch.randn(1500, 6)
    effect = [torch.randn(n) for n in (12, 5, 30)]
    score = sum(e[categories[:, i]] for i, e in enumerate(effect)) + numbers @ torch.randn(6)
    y = (score > score.median()).float()
    model = WideAndDeep((12, 5, 30), 6)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loader = DataLoader(TensorDataset(categories[:1200], numbers[:1200], y[:1200]), 64, True)
    for _ in range(20):
        model.train()
        for c, x, t in loader:
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(model(c, x), t).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            hits = (model(categories[1200:], numbers[1200:]) > 0) == y[1200:].bool()
    return hits.float().mean()


@healthy(good=0.9)
def few_positives():
    """One in twenty is positive; the loss is weighted, the score is balanced."""
    y = (torch.rand(4000) < 0.05).float()
    x = torch.randn(4000, 10) + y[:, None] * torch.tensor([2.0, 1.5, 1.5, *[0.0] * 7])
    model = nn.Sequential(nn.Linear(10, 24), nn.GELU(), nn.Linear(24, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(19.0))
    for _ in range(12):
        for i in torch.randperm(3000).split(128):
            optimizer.zero_grad(set_to_none=True)
            criterion(model(x[i])[:, 0], y[i]).backward()
            optimizer.step()
    with torch.no_grad():
        hit = (model(x[3000:])[:, 0] > 0) == y[3000:].bool()
    return (hit[y[3000:] == 1].float().mean() + hit[y[3000:] == 0].float().mean()) / 2


@healthy(good=0.75)
def weighted_sampler():
    """Classes of 70, 20 and 10 %, drawn equally often."""
    a, b = make_classification(
        2000, 12, n_informative=8, n_classes=3, weights=[0.7, 0.2], class_sep=1.5, random_state=1
    )
    x, y = torch.tensor(a, dtype=torch.float32), torch.tensor(b)
    x = (x - x.mean(0)) / x.std(0)
    weights = (1.0 / torch.bincount(y[:1500]).float())[y[:1500]]
    loader = DataLoader(
        TensorDataset(x[:1500], y[:1500]), 50, sampler=WeightedRandomSampler(weights, 1500)
    )
    net = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 3))
    opt = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(15):
        net.train()
        for xb, yb in loader:
            loss = F.cross_entropy(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
        net.eval()
        with torch.inference_mode():
            out = net(x[1500:])
            F.cross_entropy(out, y[1500:])
    return accuracy(out, y[1500:])


@healthy(good=0.8)
def several_labels_a_row():
    x = torch.randn(1600, 20)
    y = (x @ torch.randn(20, 5) + 0.5 * torch.randn(1600, 5) > 1.0).float()
    net = nn.Sequential(nn.Linear(20, 40), nn.ELU(), nn.Linear(40, 5))
    opt = torch.optim.RMSprop(net.parameters(), lr=2e-3)
    lossf = nn.BCEWithLogitsLoss()
    for _ in range(15):
        perm = torch.randperm(1200)
        for b in range(0, 1200, 60):
            opt.zero_grad()
            loss = lossf(net(x[perm[b : b + 60]]), y[perm[b : b + 60]])
            loss.backward()
            opt.step()
    with torch.no_grad():
        return ((net(x[1200:]) > 0) == y[1200:].bool()).float().mean()


@healthy(good=0.85)
def two_tasks():
    x = torch.randn(1500, 12)
    hidden = torch.tanh(x @ torch.randn(12, 6) / 2)
    classes, number = (hidden @ torch.randn(6, 4)).argmax(1), hidden @ torch.randn(6)
    trunk = nn.Sequential(nn.Linear(12, 64), nn.SiLU(), nn.Linear(64, 32), nn.SiLU())
    heads = nn.ModuleDict({"class": nn.Linear(32, 4), "number": nn.Linear(32, 1)})
    opt = torch.optim.Adam([*trunk.parameters(), *heads.parameters()], lr=4e-3)
    for _ in range(25):
        for i in torch.randperm(1200).split(50):
            h = trunk(x[i])
            loss = F.cross_entropy(heads["class"](h), classes[i])
            loss = loss + 0.5 * F.mse_loss(heads["number"](h).squeeze(-1), number[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
    with torch.no_grad():
        return accuracy(heads["class"](trunk(x[1200:])), classes[1200:])


@healthy(good=0.8)
def ordered_classes():
    """Cumulative logits of an ordinal regression: K - 1 thresholds on one number."""
    x = torch.randn(1500, 8)
    level = torch.bucketize(x @ torch.randn(8) + 0.2 * torch.randn(1500), torch.tensor([-2, 0, 2]))
    score, cuts = nn.Linear(8, 1), nn.Parameter(torch.tensor([-1.0, 0.0, 1.0]))
    opt = torch.optim.Adam([*score.parameters(), cuts], lr=0.03)
    above = (level[:, None] > torch.arange(3)).float()
    for _ in range(15):
        for i in torch.randperm(1200).split(64):
            loss = F.binary_cross_entropy_with_logits(score(x[i]) - cuts, above[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
    with torch.no_grad():
        return ((score(x[1200:]) > cuts).sum(1) == level[1200:]).float().mean()


@healthy(good=0.72)
def noisy_labels():
    """A fifth of all labels is drawn anew: 0.83 of the noisy answers can be right."""
    x = torch.randn(2400, 10)
    y = (x[:, :3].sum(1) > 0).long() + 2 * (x[:, 3] > 0).long()
    wrong = torch.rand(2400) < 0.2
    y = torch.where(wrong, torch.randint(4, (2400,)), y)
    net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4))
    opt = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    for _ in range(12):
        for i in torch.randperm(2000).split(50):
            opt.zero_grad()
            F.cross_entropy(net(x[i]), y[i]).backward()
            opt.step()
        with torch.no_grad():
            out = net(x[2000:])
            F.cross_entropy(out, y[2000:]).item()
    return accuracy(out, y[2000:])


@healthy(good=0.9)
def few_rows_regularised():
    """178 bottles of wine, with weight decay and dropout."""
    a, b = load_wine(return_X_y=True)
    x, y = torch.tensor(a, dtype=torch.float32), torch.tensor(b)
    x = (x - x.mean(0)) / x.std(0)
    order = torch.randperm(178)
    x, y = x[order], y[order]
    net = nn.Sequential(nn.Linear(13, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 3))
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-2)
    for _ in range(40):
        net.train()
        for i in torch.randperm(120).split(20):
            opt.zero_grad()
            F.cross_entropy(net(x[i]), y[i]).backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            out = net(x[120:])
            F.cross_entropy(out, y[120:])
    return accuracy(out, y[120:])


@healthy(good=0.93)
def four_folds():
    x, y = tumours()
    scores = []
    for held in torch.arange(len(x)).chunk(4):
        kept = torch.ones(len(x), dtype=torch.bool)
        kept[held] = False
        net = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
        opt = torch.optim.Adam(net.parameters(), lr=5e-3, weight_decay=1e-4)
        rows = kept.nonzero()[:, 0]
        for _ in range(12):
            for i in rows[torch.randperm(len(rows))].split(32):
                opt.zero_grad()
                F.binary_cross_entropy_with_logits(net(x[i]), y[i]).backward()
                opt.step()
        with torch.no_grad():
            scores.append(((net(x[held]) > 0) == y[held].bool()).float().mean().item())
    return sum(scores) / 4


@healthy(good=0.93)
def early_stopping():
    x, y = tumours()
    net = nn.Sequential(
        nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
    )
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    best, state, waited = float("inf"), None, 0
    for _ in range(100):
        net.train()
        for i in torch.randperm(400).split(32):
            opt.zero_grad()
            F.binary_cross_entropy_with_logits(net(x[i]), y[i, None]).backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            valid = F.binary_cross_entropy_with_logits(net(x[400:]), y[400:, None]).item()
        if valid < best:
            best, state, waited = valid, copy.deepcopy(net.state_dict()), 0
        else:
            waited += 1
            if waited == 6:
                break
    net.load_state_dict(state)
    with torch.no_grad():
        return ((net(x[400:]) > 0) == y[400:, None].bool()).float().mean()


@healthy(good=0.93)
def focal_loss():
    x, y = tumours()
    net = nn.Sequential(nn.Linear(30, 20), nn.LeakyReLU(), nn.Linear(20, 1))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(25):
        for i in torch.randperm(450).split(30):
            p = torch.sigmoid(net(x[i]).squeeze(1))
            p_true = torch.where(y[i] == 1, p, 1 - p)
            loss = (-((1 - p_true) ** 2) * torch.log(p_true + 1e-7)).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
    with torch.no_grad():
        return ((net(x[450:]).squeeze(1) > 0) == y[450:].bool()).float().mean()


@healthy(good=0.93)
def hinge_of_signs():
    """A linear support vector machine: targets -1 and 1, squared hinge, a penalty by hand."""
    x, y = tumours()
    sign = 2 * y - 1
    w, b = torch.zeros(30, requires_grad=True), torch.zeros(1, requires_grad=True)
    opt = torch.optim.SGD([w, b], lr=0.02)
    for _ in range(30):
        for i in torch.randperm(450).split(25):
            margin = sign[i] * (x[i] @ w + b)
            loss = torch.relu(1 - margin).pow(2).mean() + 1e-3 * w.pow(2).sum()
            opt.zero_grad()
            loss.backward()
            opt.step()
    return ((x[450:] @ w + b > 0).float() == y[450:]).float().mean()


@healthy(good=0.93)
def sigmoid_and_binary_loss():
    x, y = tumours()
    net = nn.Sequential(nn.Linear(30, 12), nn.Tanh(), nn.Linear(12, 1), nn.Sigmoid())
    opt = torch.optim.Adagrad(net.parameters(), lr=0.05)
    loss_fn = nn.BCELoss()
    for _ in range(20):
        for i in torch.randperm(450).split(30):
            opt.zero_grad()
            loss_fn(net(x[i]), y[i].unsqueeze(1)).backward()
            opt.step()
    with torch.no_grad():
        return ((net(x[450:]) > 0.5) == y[450:, None].bool()).float().mean()


@healthy(good=0.9)
def own_layers_without_modules():
    """Weights in a dictionary, functions, and a step written out."""
    x = torch.randn(1000, 6)
    y = ((x[:, 0] * x[:, 1]) > 0).long()
    p = {
        "w1": torch.randn(6, 32) * (2 / 6) ** 0.5,
        "b1": torch.zeros(32),
        "w2": torch.randn(32, 2) * (1 / 32) ** 0.5,
        "b2": torch.zeros(2),
    }
    for each in p.values():
        each.requires_grad_()

    def net(a):
        return F.relu(a @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]

    for epoch in range(50):
        for i in torch.randperm(800).split(40):
            gradients = torch.autograd.grad(F.cross_entropy(net(x[i]), y[i]), list(p.values()))
            with torch.no_grad():
                for each, g in zip(p.values(), gradients, strict=True):
                    each -= (0.3 if epoch < 40 else 0.1) * g
    return accuracy(net(x[800:]), y[800:])
