"""Batch norm over the rows of all processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from netwise.training.ranks.shared_step import SharedStep


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of all gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.clone()
        distributed.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        gradient = gradients[0].clone()
        distributed.all_reduce(gradient)
        return gradient


@contextmanager
def synced_batch_norm(module: nn.Module, shared: SharedStep | None) -> Iterator[None]:
    """Inside, batch norm in training mode takes mean and variance over the rows of all processes.

    torch's `SyncBatchNorm` works on CUDA devices only; this one works wherever sums can be sent.

    Args:
        module: whose layers of batch norm are changed, and changed back.
        shared: knows which share of the batch this process has; None: nothing is changed.

    Source: Ioffe, Szegedy 2015, arXiv 1502.03167, algorithm 1.
    """
    if shared is None:
        yield
        return
    layers = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
    for layer in layers:
        layer.forward = partial(_forward, layer, shared)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _forward(layer: _BatchNorm, shared: SharedStep, x: Tensor) -> Tensor:
    if not layer.training:
        return type(layer).forward(layer, x)
    layer._check_input_dim(x)
    counts = 1.0 if shared.share > 0 else 0.0  # rows without a share are there for company
    axes = [0, *range(2, x.dim())]
    shape = (1, -1, *[1] * (x.dim() - 2))
    own = torch.cat([x.sum(axes), x.new_full((1,), x.numel() / x.shape[1])]) * counts
    sums: Tensor = _Sum.apply(own)  # type: ignore[no-untyped-call]
    count = sums[-1].detach()
    mean = sums[:-1] / count
    centred = x - mean.view(shape)
    squares = centred.square().sum(axes) * counts
    variance: Tensor = _Sum.apply(squares) / count  # type: ignore[no-untyped-call]
    _remember(layer, mean.detach(), variance.detach(), count)
    x = centred * torch.rsqrt(variance + layer.eps).view(shape)
    if layer.affine:
        x = x * layer.weight.view(shape) + layer.bias.view(shape)
    return x


@torch.no_grad()
def _remember(layer: _BatchNorm, mean: Tensor, variance: Tensor, count: Tensor) -> None:
    """Move the running statistics, as torch's own layer does."""
    if layer.running_mean is None or layer.running_var is None:
        return
    assert layer.num_batches_tracked is not None
    layer.num_batches_tracked.add_(1)
    factor = layer.momentum
    if factor is None:
        factor = 1.0 / float(layer.num_batches_tracked)
    layer.running_mean.lerp_(mean, factor)
    layer.running_var.lerp_(variance * (count / (count - 1).clamp(min=1)), factor)
