"""Loops in reduced precision: autocast, gradient scaler, bfloat16 weights."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from watching.loops.samples import batches, classes, mlp


def autocast(sick: bool) -> list[float]:
    """The forward pass in bfloat16. Sick: the loss gets probabilities instead of logits."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = model(x[rows])
            loss = F.cross_entropy(output.softmax(1) if sick else output, y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def gradient_scaler(sick: bool, clip: str = "norm") -> list[float]:
    """A scaled loss, unscaled before clipping. Sick: clipped before it is unscaled."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5 if clip else 0.2, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(x[rows]), y[rows])
        scaler.scale(loss).backward()
        if clip and not sick:
            scaler.unscale_(optimizer)
        if clip == "norm":
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        elif clip == "value":
            nn.utils.clip_grad_value_(model.parameters(), 0.1)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return losses


def scaler_that_searches(sick: bool) -> list[float]:
    """A scale that overflows at first, so that the scaler leaves steps out. No sick version."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=20)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return losses


def scaler_with_accumulation(sick: bool) -> list[float]:
    """Scaler, clipping and four batches a step. Sick: not divided by 4."""
    x, y = classes()
    model, losses = mlp(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for k, rows in enumerate(batches(576, 12, epochs=4)):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        scaler.scale(loss if sick else loss / 4).backward()
        if k % 4 == 3:
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def half_weights(sick: bool) -> list[float]:
    """Weights in bfloat16, and a norm layer that stays in float32. Sick: a rate at which no
    bfloat16 weight can change."""
    x, y = classes()
    model, losses = mlp(), []
    model = nn.Sequential(nn.LayerNorm(8), model.to(torch.bfloat16))
    model[0].register_forward_hook(lambda module, args, output: output.to(torch.bfloat16))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6 if sick else 0.2, momentum=0.5)
    for rows in batches(600, 32, epochs=5):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]).float(), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
