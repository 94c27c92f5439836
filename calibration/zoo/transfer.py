"""Programs in which one network teaches or starts another."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional as F

from calibration.zoo.program import accuracy, digits, healthy


def perceptron(width=64, classes=10):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, classes),
    )  # fmt: skip


def fit(net, x, y, rounds, rate=3e-3, size=50):
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=rate)
    for _ in range(rounds):
        for i in torch.randperm(len(x)).split(size):
            optimizer.zero_grad()
            F.cross_entropy(net(x[i]), y[i]).backward()
            optimizer.step()


@healthy(good=0.9)
def distillation():
    x, y, x_test, y_test = digits()
    teacher, student = (
        perceptron(),
        nn.Sequential(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10)),
    )
    fit(teacher, x, y, 8)
    teacher.eval().requires_grad_(False)
    optimizer = torch.optim.Adam(student.parameters(), lr=5e-3)
    for _ in range(15):
        for i in torch.randperm(1000).split(50):
            with torch.no_grad():
                soft = F.softmax(teacher(x[i]) / 3, 1)
            out = student(x[i])
            loss = 9 * F.kl_div(F.log_softmax(out / 3, 1), soft, reduction="batchmean")
            loss = 0.7 * loss + 0.3 * F.cross_entropy(out, y[i])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return accuracy(student(x_test), y_test)


@healthy(good=0.85)
def mean_teacher():
    """100 labels, and 900 images on which two versions of the network must agree."""
    x, y, x_test, y_test = digits()
    student = perceptron(96)
    teacher = copy.deepcopy(student).requires_grad_(False)
    optimizer = torch.optim.Adam(student.parameters(), lr=2e-3)
    for step in range(250):
        i, j = torch.randint(100, (32,)), torch.randint(100, 1000, (64,))
        noisy = student(x[j] + 0.1 * torch.randn_like(x[j])).softmax(1)
        with torch.no_grad():
            target = teacher(x[j] + 0.1 * torch.randn_like(x[j])).softmax(1)
        loss = F.cross_entropy(student(x[i]), y[i])
        loss = loss + min(1.0, step / 100) * F.mse_loss(noisy, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
                slow.lerp_(fast, 0.05)
    with torch.no_grad():
        return accuracy(teacher(x_test), y_test)


@healthy(good=0.78)
def frozen_backbone():
    """Features of the digits 0 to 4 also serve 5 to 9."""
    x, y, x_test, y_test = digits()
    few, rest, rest_test = y < 5, y >= 5, y_test >= 5
    net = perceptron(128, 5)
    fit(net, x[few], y[few], 8)
    for parameter in net.parameters():
        parameter.requires_grad = False
    net[-1] = nn.Linear(128, 5)
    fit(net, x[rest], y[rest] - 5, 15, rate=1e-2)
    with torch.no_grad():
        return accuracy(net(x_test[rest_test]), y_test[rest_test] - 5)


class LowRank(nn.Module):
    """A frozen linear layer with a trainable update of rank 4, which starts at 0."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(4, layer.in_features) / layer.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(layer.out_features, 4))

    def forward(self, x):
        return self.layer(x) + x @ self.down.T @ self.up.T


@healthy(good=0.85)
def low_rank_adapters():
    """Pretrained on inverted images, adapted to the others."""
    x, y, x_test, y_test = digits()
    net = perceptron(96)
    fit(net, -x, y, 8)
    for place in (1, 3, 5):
        net[place] = LowRank(net[place])
    trainable = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-2)
    for _ in range(15):
        for i in torch.randperm(1000).split(50):
            loss = F.cross_entropy(net(x[i]), y[i])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return accuracy(net(x_test), y_test)


@healthy(good=0.9)
def slow_and_fast_groups():
    x, y, x_test, y_test = digits()
    net = perceptron(96)
    fit(net, -x, y, 6)
    groups = [
        {"params": net[:4].parameters(), "lr": 1e-3},
        {"params": net[4:].parameters(), "lr": 1e-2},
    ]
    optimizer = torch.optim.Adam(groups)
    for _ in range(12):
        for i in torch.randperm(1000).split(50):
            optimizer.zero_grad()
            F.cross_entropy(net(x[i]), y[i]).backward()
            optimizer.step()
        with torch.no_grad():
            out = net(x_test)
            F.cross_entropy(out, y_test)
    return accuracy(out, y_test)


@healthy(good=0.9)
def curriculum():
    """Images without noise first, then those with more of it."""
    x, y, x_test, y_test = digits()
    net = perceptron(96)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for noise in (0.0, 0.2, 0.4, 0.6):
        for _ in range(4):
            for i in torch.randperm(1000).split(50):
                optimizer.zero_grad()
                F.cross_entropy(net(x[i] + noise * torch.randn_like(x[i])), y[i]).backward()
                optimizer.step()
    with torch.no_grad():
        return accuracy(net(x_test), y_test)


@healthy(good=0.9)
def averaged_weights():
    x, y, x_test, y_test = digits()
    net = perceptron(64)
    average = torch.optim.swa_utils.AveragedModel(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(12):
        for i in torch.randperm(1000).split(50):
            optimizer.zero_grad()
            F.cross_entropy(net(x[i]), y[i]).backward()
            optimizer.step()
        if epoch >= 6:
            average.update_parameters(net)
    with torch.no_grad():
        return accuracy(average(x_test), y_test)


@healthy(good=0.85)
def progressive_unfreezing():
    x, y, x_test, y_test = digits()
    net = perceptron(96)
    fit(net, x.flip(-1), y, 6)
    for parameter in net[:5].parameters():
        parameter.requires_grad_(False)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(12):
        if epoch == 4:
            net[3].requires_grad_(True)
        if epoch == 8:
            net[1].requires_grad_(True)
        for i in torch.randperm(1000).split(50):
            optimizer.zero_grad()
            F.cross_entropy(net(x[i]), y[i]).backward()
            optimizer.step()
    with torch.no_grad():
        return accuracy(net(x_test), y_test)
