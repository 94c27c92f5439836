"""Surrogate loss with explicitly supplied gradients (e.g. contrastive divergence)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class _SuppliedGradients(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, value: Tensor, gradients: tuple[Tensor, ...], *parameters: Tensor
    ) -> Tensor:
        ctx.gradients = gradients
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        factor = outer[0]
        gradients, ctx.gradients = (
            ctx.gradients,
            (),
        )  # no other reference is left: they become `.grad` without a copy
        if (
            factor.device.type == "cpu" and float(factor) == 1.0
        ):  # nothing was computed from this loss, which is the usual case
            return (None, None, *gradients)
        return (None, None, *(factor * gradient for gradient in gradients))


def surrogate_loss(
    value: Tensor, gradients: Sequence[Tensor], parameters: Sequence[Tensor]
) -> Tensor:
    """`value` as a loss whose gradients by `parameters` are `gradients`.

    A learning rule that is not the derivative of a loss (contrastive divergence) so uses the same
    backward pass, optimizers and penalties as every loss.
    """
    apply: Any = _SuppliedGradients.apply
    loss: Tensor = apply(value, tuple(gradients), *parameters)
    return loss
