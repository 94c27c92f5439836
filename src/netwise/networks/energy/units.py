"""Kinds of units of a restricted Boltzmann machine: their mean, draws, and terms of the energy."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

BINARY, GAUSSIAN, RECTIFIED = "binary", "gaussian", "rectified"
# Terms of a rectified unit's free energy; the rest is below e^-30 for inputs below 8.
STEPS = 40


def bits(probabilities: Tensor) -> Tensor:
    """Independent Bernoulli draws of 0 and 1, by one comparison: `torch.bernoulli` takes four times
    as long on a CPU."""
    return (torch.rand_like(probabilities) < probabilities).to(probabilities.dtype)


def mean(kind: str, x: Tensor) -> Tensor:
    """Mean of units of this kind for the input `x`."""
    if kind == BINARY:
        return torch.sigmoid(x)
    return F.relu(x) if kind == RECTIFIED else x


def draw(kind: str, x: Tensor) -> Tensor:
    """States of units of this kind, drawn for the input `x`.

    A rectified unit is max(0, x + N(0, sigmoid(x))): a stack of binary ones with biases -0.5, -1.5
    ..., summed up.

    Source: Nair, Hinton 2010, "Rectified linear units improve restricted Boltzmann machines",
    section 2.
    """
    if kind == BINARY:
        return bits(torch.sigmoid(x))
    if kind == RECTIFIED:
        return F.relu(x + torch.randn_like(x) * torch.sigmoid(x).sqrt())
    return x + torch.randn_like(x)


def hidden_free_energy(kind: str, x: Tensor) -> Tensor:
    """(..., units): ln of the sum over the states of each hidden unit, which the free energy
    subtracts."""
    if kind == BINARY:
        return F.softplus(x)
    places = torch.arange(STEPS, dtype=x.dtype, device=x.device) + 0.5
    return F.softplus(x[..., None] - places).sum(-1)


def visible_energy(kind: str, v: Tensor, bias: Tensor) -> Tensor:
    """(...,): the terms of the energy that only contain visible units."""
    if kind == BINARY:
        return -(v @ bias)
    return 0.5 * (v - bias).square().sum(-1)
