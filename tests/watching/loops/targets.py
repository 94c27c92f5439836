"""Loops that differ in loss, outputs and targets."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from watching.loops.samples import batches, classes, labels, mlp, numbers, pictures


def double_softmax(sick: bool) -> list[float]:
    """Logits into cross-entropy. Sick: probabilities."""
    x, y = classes()
    model, losses = mlp(), []
    if sick:
        model.append(nn.Softmax(1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def sigmoid_before_logits(sick: bool) -> list[float]:
    """A binary answer as a logit. Sick: the loss of logits gets a sigmoid's output."""
    x, y = classes()
    model, losses = mlp(1), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        output = model(x[rows])[:, 0]
        target = (y[rows] > 0).float()
        loss = F.binary_cross_entropy_with_logits(output.sigmoid() if sick else output, target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def several_labels(sick: bool) -> list[float]:
    """Four labels a row, each with its own sigmoid. Sick: one softmax over all four."""
    x, y = labels()
    model, losses = mlp(4), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        output = model(x[rows])
        if sick:
            loss = F.binary_cross_entropy(output.softmax(1), y[rows])
        else:
            loss = F.binary_cross_entropy_with_logits(output, y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class Heads(nn.Module):
    """A body with two heads; the outputs are a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.kind, self.size = nn.Linear(8, 32), nn.Linear(32, 3), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = torch.relu(self.body(x))
        return {"kind": self.kind(x), "size": self.size(x)}


def several_losses(sick: bool, kind: float = 1.0, size: float = 0.5) -> list[float]:
    """A weighted sum of the losses of two heads; with a weight of 0 a head's loss is left out. No
    sick version."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = Heads(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        output = model(x[rows])
        terms = {"kind": F.cross_entropy(output["kind"], y[rows])}
        if size:
            terms["size"] = F.smooth_l1_loss(output["size"], x[rows, 3:4])
        loss = kind * terms["kind"] + sum(size * terms[name] for name in terms if name != "kind")
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def learned_weights_of_losses(sick: bool) -> list[float]:
    """Losses weighed by learned uncertainties, which belong to the loss module and are in the
    optimizer. Sick: they are not in the optimizer."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = Heads(), []
    scales = nn.Parameter(torch.zeros(2))
    trained = [*model.parameters(), *(() if sick else (scales,))]
    optimizer = torch.optim.Adam(trained, lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        output = model(x[rows])
        terms = torch.stack(
            [F.cross_entropy(output["kind"], y[rows]), F.mse_loss(output["size"], x[rows, 3:4])]
        )
        loss = (terms * (-scales).exp() + scales).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def penalised(sick: bool) -> list[float]:
    """A small squared penalty that is added to the loss. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        penalty = sum(p.square().sum() for p in model.parameters())
        loss = F.cross_entropy(model(x[rows]), y[rows]) + 1e-4 * penalty
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def ignored_classes(sick: bool, ignored: int = -100) -> list[float]:
    """Every fifth target is not counted. Sick: some batches have no other targets."""
    x, y = classes()
    y = y.clone()
    y[::5] = ignored
    if sick:
        y[450:] = ignored
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(5):
        for rows in torch.arange(600).split(30):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows], ignore_index=ignored)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def segmentation(sick: bool) -> list[float]:
    """A class for each pixel, 255 at borders. Sick: 255 for all pixels, as of an empty mask."""
    x, y = pictures()
    y = y.clone()
    y[:, :, 0] = 255
    if sick:
        y[:] = 255
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.Conv2d(3, 16, 1), nn.ReLU(), nn.Conv2d(16, 3, 1)), []
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-2)
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    for rows in batches(96, 8, epochs=6):
        optimizer.zero_grad()
        loss = criterion(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def foreground(sick: bool) -> list[float]:
    """One map with a Dice loss beside the entropy. Sick: the map goes through a sigmoid twice."""
    x, y = pictures()
    mask = (y[:, None] > 0).float()
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.Conv2d(3, 16, 1), nn.ReLU(), nn.Conv2d(16, 1, 1)), []
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-2)
    for rows in batches(96, 8, epochs=6):
        optimizer.zero_grad()
        output, target = model(x[rows]), mask[rows]
        if sick:
            output = output.sigmoid()
        p = output.sigmoid()
        dice = 1 - (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
        loss = F.binary_cross_entropy_with_logits(output, target) + dice
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def smoothed_and_weighted(sick: bool) -> list[float]:
    """Cross-entropy with weights of classes and smoothed labels. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    weight = torch.tensor([2.0, 1.0, 2.0])
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows], weight=weight, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def mixed_samples(sick: bool) -> list[float]:
    """Mixup: two losses of one output, with weights that sum to 1. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        other = rows[torch.randperm(len(rows))]
        share = float(torch.rand(()) * 0.3 + 0.7)
        output = model(share * x[rows] + (1 - share) * x[other])
        loss = share * F.cross_entropy(output, y[rows])
        loss = loss + (1 - share) * F.cross_entropy(output, y[other])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def distillation(sick: bool) -> list[float]:
    """A student learns from the probabilities of a teacher. No sick version."""
    x, y = classes()
    teacher, losses = mlp(hidden=64), []
    optimizer = torch.optim.Adam(teacher.parameters(), lr=1e-2)
    for rows in batches(600, 60, epochs=4):
        optimizer.zero_grad()
        F.cross_entropy(teacher(x[rows]), y[rows]).backward()
        optimizer.step()
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        output = model(x[rows])
        with torch.no_grad():
            target = teacher(x[rows]).div(2).softmax(1)
        loss = 4 * F.kl_div((output / 2).log_softmax(1), target, reduction="batchmean")
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def focal(sick: bool) -> list[float]:
    """A focal loss by hand. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        p = model(x[rows]).softmax(1)
        p = p.gather(1, y[rows, None])[:, 0]
        loss = (-((1 - p) ** 2) * (p + 1e-9).log()).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def squared_error_of_numbers(sick: bool) -> list[float]:
    """A regression. No sick version."""
    x, y = numbers()
    model, losses = mlp(1), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
