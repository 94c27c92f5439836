"""Loops that run their passes in unusual ways: checkpointing, compilation, functional calls,
averaged weights."""

from __future__ import annotations

import copy
import io
import warnings

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional as F
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.checkpoint import checkpoint

from watching.loops.samples import batches, classes, mlp


class Checkpointed(nn.Module):
    """A stack whose middle is computed again in the backward pass."""

    def __init__(self, reentrant: bool, plain_input: bool) -> None:
        super().__init__()
        self.reentrant, self.plain_input = reentrant, plain_input
        self.first, self.head = nn.Linear(8, 24), nn.Linear(24, 3)
        self.middle = nn.Sequential(nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))
        if self.plain_input:
            h = h.detach()
        return self.head(checkpoint(self.middle, h, use_reentrant=self.reentrant))


def checkpointing(sick: bool, reentrant: bool = False) -> list[float]:
    """Gradient checkpointing. Sick: its input requires no gradient; the reentrant form then gives
    none to the layers inside."""
    x, y = classes()
    torch.manual_seed(0)
    model, losses = Checkpointed(reentrant, sick), []
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for rows in batches(600, 32, epochs=5):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def compiled(sick: bool, backend: str = "eager", model: nn.Module | None = None) -> list[float]:
    """A compiled module. Sick: the head is in no optimizer.

    Args:
        model: compiled before; None: a new one.
    """
    x, y = classes()
    losses = []
    if model is None:
        model = mlp()
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(list(model.parameters())[: 2 if sick else 4], lr=1e-2)
    run = torch.compile(model, backend=backend) if backend else model
    for rows in batches(600, 40, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(run(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def called_with_weights(sick: bool) -> list[float]:
    """`functional_call` with weights in a dictionary that the optimizer holds. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    weights = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}
    optimizer = torch.optim.Adam(weights.values(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(functional_call(model, weights, (x[rows],)), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def inner_steps(sick: bool) -> list[float]:
    """MAML: a step on some rows inside of the loss on others, through which the outer gradient
    goes. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 40, epochs=5):
        support, query = rows[:20], rows[20:]
        weights = dict(model.named_parameters())
        inner = F.cross_entropy(functional_call(model, weights, (x[support],)), y[support])
        slopes = torch.autograd.grad(inner, tuple(weights.values()), create_graph=True)
        stepped = {
            n: p - 0.1 * slope for (n, p), slope in zip(weights.items(), slopes, strict=True)
        }
        optimizer.zero_grad()
        loss = F.cross_entropy(functional_call(model, stepped, (x[query],)), y[query])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def gradients_by_sample(sick: bool) -> list[float]:
    """`torch.func` gives a gradient for each sample; each is clipped, and their mean is stepped on.
    No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)

    def loss_of(weights: dict[str, Tensor], row: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(model, weights, (row[None],)), target[None])

    slopes_of = vmap(torch.func.grad_and_value(loss_of), in_dims=(None, 0, 0))
    for rows in batches(600, 32, epochs=4):
        weights = {name: p.detach() for name, p in model.named_parameters()}
        slopes, values = slopes_of(weights, x[rows], y[rows])
        norms = torch.stack([s.flatten(1).norm(dim=1) for s in slopes.values()]).norm(dim=0)
        factors = (1.0 / norms.clamp_min(1.0)) / len(rows)
        for name, p in model.named_parameters():
            p.grad = torch.einsum("n,n...->...", factors, slopes[name])
        optimizer.step()
        losses.append(values.mean().item())
    return losses


def averaged(sick: bool) -> list[float]:
    """An exponential average of the weights, evaluated after each epoch. Sick: after each step the
    model gets the average back, which moves it by a thousandth of each step."""
    x, y = classes()
    model = mlp()
    average, losses = copy.deepcopy(model).requires_grad_(False), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(5):
        for rows in batches(480, 32):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            with torch.no_grad():
                for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
                    slow.lerp_(fast, 0.001 if sick else 0.1)
                    if sick:
                        fast.copy_(slow)
        average.eval()
        with torch.no_grad():
            F.cross_entropy(average(x[480:]), y[480:])
    return losses


def stochastic_averaging(sick: bool) -> list[float]:
    """SWA with its own schedule, and the statistics of batch norm computed anew at the end. No sick
    version."""
    x, y = classes()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3))
    average, losses = AveragedModel(model), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    schedule = SWALR(optimizer, swa_lr=0.1, anneal_epochs=2)
    for epoch in range(6):
        for rows in batches(480, 32):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch > 1:
            average.update_parameters(model)
            schedule.step()
    update_bn([x[:480]], average)
    average.eval()
    with torch.no_grad():
        F.cross_entropy(average(x[480:]), y[480:])
    return losses


def resumed(sick: bool) -> list[float]:
    """Model, optimizer and schedule are saved and loaded in the middle, into new objects. Sick: the
    optimizer of the first half is stepped on, while the new model is trained."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for k, rows in enumerate(batches(600, 32, epochs=6)):
        if k == 30:
            file = io.BytesIO()
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
            file.seek(0)
            saved = torch.load(file, weights_only=True)
            model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
            model.load_state_dict(saved["model"])
            if not sick:
                optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
                optimizer.load_state_dict(saved["optimizer"])
        model.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def step_inside_backward(sick: bool) -> list[float]:
    """An optimizer for each weight, stepped by a hook as soon as its gradient is there. No sick
    version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizers = {p: torch.optim.SGD([p], lr=0.3) for p in model.parameters()}

    def take_step(p: Tensor) -> None:
        optimizers[p].step()
        optimizers[p].zero_grad()

    for p in model.parameters():
        p.register_post_accumulate_grad_hook(take_step)
    for rows in batches(600, 32, epochs=5):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        losses.append(loss.item())
    return losses
