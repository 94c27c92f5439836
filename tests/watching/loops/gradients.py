"""Loops that differ in what happens between `backward` and the step: accumulation, clipping,
clearing, noise."""

from __future__ import annotations

import copy
import warnings

import torch
from torch import nn
from torch.nn import functional as F

from watching.loops.samples import batches, classes, mlp, numbers


def accumulation(sick: bool) -> list[float]:
    """Four batches a step. Sick: their mean losses are added, which multiplies the rate by 4."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    for k, rows in enumerate(batches(576, 12, epochs=4)):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        (loss if sick else loss / 4).backward()
        if k % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def accumulation_with_rest(sick: bool, rest: str = "stepped") -> list[float]:
    """18 batches an epoch, four a step: two are left, which are stepped on, dropped or carried
    over. Sick: not divided."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    waiting = 0
    for _ in range(9):
        if rest == "dropped":
            optimizer.zero_grad()
            waiting = 0
        for k, rows in enumerate(batches(576, 32)):
            loss = F.cross_entropy(model(x[rows]), y[rows])
            (loss if sick else loss / 4).backward()
            waiting += 1
            if waiting == 4 or (rest == "stepped" and k == 17):
                optimizer.step()
                optimizer.zero_grad()
                waiting = 0
            losses.append(loss.item())
    return losses


def accumulated_sums(sick: bool) -> list[float]:
    """Sums of losses, divided by the number of samples of the whole step: a correct accumulation
    whose factor is no 1/4. Sick: divided by the samples of the batch alone."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    for k, rows in enumerate(batches(576, 12, epochs=4)):
        loss = F.cross_entropy(model(x[rows]), y[rows], reduction="sum")
        (loss / (12 if sick else 48)).backward()
        if k % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.item() / 12)
    return losses


def clipping_by_norm(sick: bool) -> list[float]:
    """Every step is clipped. Sick: to a norm of 1e-6, so that nothing moves."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1e-6 if sick else 0.2)
        optimizer.step()
        losses.append(loss.item())
    return losses


def clipping_by_value(sick: bool) -> list[float]:
    """Every number of the gradient is clipped. No sick version."""
    x, y = numbers()
    model, losses = mlp(1), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x[rows]), y[rows])
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.05)
        optimizer.step()
        losses.append(loss.item())
    return losses


def clearing(sick: bool) -> list[float]:
    """Gradients are cleared before each backward pass. Sick: never."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for rows in batches(600, 32, epochs=5):
        if not sick:
            optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def clearing_to_zero(sick: bool) -> list[float]:
    """Gradients are kept as zeros (`set_to_none=False`). Sick: cleared once an epoch."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for k, rows in enumerate(batches(600, 30, epochs=5)):
        if not sick or k % 20 == 0:
            optimizer.zero_grad(set_to_none=False)
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def clearing_by_the_model(sick: bool) -> list[float]:
    """`model.zero_grad` after the step. Sick: between backward pass and step."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        if sick:
            model.zero_grad()
            optimizer.step()
        else:
            optimizer.step()
            model.zero_grad()
        losses.append(loss.item())
    return losses


def clearing_before_the_step(sick: bool) -> list[float]:
    """The usual three lines. Sick: `zero_grad` between `backward` and `step`, with zeros."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for rows in batches(600, 32, epochs=5):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        if not sick:
            optimizer.zero_grad()
        loss.backward()
        if sick:
            optimizer.zero_grad(set_to_none=False)
        optimizer.step()
        losses.append(loss.item())
    return losses


def gradient_noise(sick: bool) -> list[float]:
    """Noise is added to each gradient before the step. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        for p in model.parameters():
            p.grad.add_(torch.randn_like(p.grad), alpha=0.01)
        optimizer.step()
        losses.append(loss.item())
    return losses


def two_losses_a_step(sick: bool) -> list[float]:
    """Two backward passes of different losses before a step: no accumulation. No sick version."""
    x, y = classes()
    model, losses = mlp(4), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        output = model(x[rows])
        loss = F.cross_entropy(output[:, :3], y[rows])
        loss.backward(retain_graph=True)
        (0.1 * F.mse_loss(output[:, 3], x[rows, 3])).backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def lbfgs(sick: bool) -> list[float]:
    """The closure of LBFGS runs several passes in a step. Sick: it never clears gradients."""
    x, y = classes(200)
    model, losses = mlp(hidden=8), []
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.3, max_iter=4)

    def closure() -> torch.Tensor:
        if not sick:
            optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(25):
        optimizer.step(closure)
    return losses


def sharpness_aware(sick: bool) -> list[float]:
    """SAM: a step up along the gradient, a second gradient there, the step from the old weights.
    No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    for rows in batches(600, 32, epochs=4):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        with torch.no_grad():
            norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
            ups = [0.05 * p.grad / (norm + 1e-12) for p in model.parameters()]
            for p, up in zip(model.parameters(), ups, strict=True):
                p.add_(up)
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        with torch.no_grad():
            for p, up in zip(model.parameters(), ups, strict=True):
                p.sub_(up)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def lookahead(sick: bool) -> list[float]:
    """Every fifth step the weights return half-way to slow copies. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    slow = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    for k, rows in enumerate(batches(600, 32, epochs=5)):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        if k % 5 == 4:
            with torch.no_grad():
                for fast, kept in zip(model.parameters(), slow.parameters(), strict=True):
                    kept.lerp_(fast, 0.5)
                    fast.copy_(kept)
        losses.append(loss.item())
    return losses


def broadcast_target(sick: bool) -> list[float]:
    """A regression. Sick: targets (n,) against outputs (n, 1), compared each with each."""
    x, y = numbers()
    model, losses = mlp(1), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for rows in batches(600, 32, epochs=6):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x[rows]), y[rows, 0] if sick else y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def broadcast_by_hand(sick: bool) -> list[float]:
    """The same with an absolute error that is written by hand."""
    x, y = numbers()
    model, losses = mlp(1), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=6):
        optimizer.zero_grad()
        loss = (model(x[rows]) - (y[rows, 0] if sick else y[rows])).abs().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def count_that_begins_anew(sick: bool) -> list[float]:
    """Gradients of several batches in a step. Sick: an epoch has fewer batches than that, and the
    count begins anew with each."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)), []
    optimizer, every = torch.optim.Adam(model.parameters(), lr=1e-2), 25 if sick else 2
    for _ in range(12):
        optimizer.zero_grad()
        for number, rows in enumerate(batches(600, 30, epochs=1), 1):
            loss = F.cross_entropy(model(x[rows]), y[rows])
            (loss / every).backward()
            if number % every == 0:
                optimizer.step()
                optimizer.zero_grad()
            losses.append(loss.item())
    return losses


def perturbed_inputs(sick: bool) -> list[float]:
    """Steps of the inputs against a network that stays as it is: nothing is to be trained."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)), []
    for rows in batches(600, 30, epochs=6):
        inputs = x[rows].clone().requires_grad_()
        loss = F.cross_entropy(model(inputs), y[rows])
        loss.backward()
        assert inputs.grad is not None
        (inputs + 0.1 * inputs.grad.sign()).detach()
        losses.append(loss.item())
    return losses
