"""Many equal MLPs with ReLU units at once, as stacked weights: for labs that train small networks
from many seeds or at many rates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

Stack = list[Tensor]
"""Weights (networks, inputs, outputs) and biases (networks, 1, outputs) of one layer after the
other."""


def new_stack(widths: Sequence[int], seeds: Sequence[int]) -> Stack:
    """He's normal weights and biases of 0: one network for each seed; equal seeds give equal
    weights.

    Args:
        widths: numbers of inputs, of each hidden layer's units, and of outputs.
        seeds: of the networks.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    stack = []
    for inputs, outputs in pairwise(widths):
        weights = [torch.randn(inputs, outputs, generator=g) for g in generators]
        stack.append((torch.stack(weights) * (2 / inputs) ** 0.5).requires_grad_())
        stack.append(torch.zeros(len(seeds), 1, outputs, requires_grad=True))
    return stack


def outputs(stack: Stack, x: Tensor) -> Tensor:
    """Logits (networks, samples, classes) of samples (samples, features)."""
    a = x.expand(len(stack[0]), *x.shape)
    for i in range(0, len(stack), 2):
        a = torch.baddbmm(stack[i + 1], a, stack[i])
        if i + 2 < len(stack):
            a = a.relu()
    return a


def losses(stack: Stack, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """(cross-entropy, accuracy) of each network."""
    logits = outputs(stack, x)
    targets = y.expand(len(logits), -1)
    loss = functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none").mean(1)
    return loss, (logits.argmax(2) == targets).float().mean(1)
