"""Kinds of units of a restricted Boltzmann machine: what they give on average, a draw of them,
their part of the energy."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

BINARY, GAUSSIAN, RECTIFIED = "binary", "gaussian", "rectified"
# copies of a rectified unit that its free energy counts; the rest weigh less than e^-30 for inputs
# below 8
STEPS = 40


def bits(probabilities: Tensor) -> Tensor:
    """Independent draws of 0 and 1. One comparison: torch's own `bernoulli` takes four times as
    long on a CPU."""
    return (torch.rand_like(probabilities) < probabilities).to(probabilities.dtype)


def mean(kind: str, x: Tensor) -> Tensor:
    """What units of this kind give on average for the input `x`."""
    if kind == BINARY:
        return torch.sigmoid(x)
    return F.relu(x) if kind == RECTIFIED else x


def draw(kind: str, x: Tensor) -> Tensor:
    """A draw of units of this kind for the input `x`.

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
    """ln of the sum over all states of the hidden units, (..., units): what each takes off the free
    energy."""
    if kind == BINARY:
        return F.softplus(x)
    places = torch.arange(STEPS, dtype=x.dtype, device=x.device) + 0.5
    return F.softplus(x[..., None] - places).sum(-1)


def visible_energy(kind: str, v: Tensor, bias: Tensor) -> Tensor:
    """(...,): the part of the energy that the visible units have by themselves."""
    if kind == BINARY:
        return -(v @ bias)
    return 0.5 * (v - bias).square().sum(-1)
