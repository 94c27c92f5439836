"""A gradient that was counted, not derived: learning rules of energy models as the backward pass of
one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class _Gap(torch.autograd.Function):
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
        )  # nobody else holds them: they become `.grad` without a copy
        if (
            factor.device.type == "cpu" and float(factor) == 1.0
        ):  # as it is where nothing stands above this number
            return (None, None, *gradients)
        return (None, None, *(factor * gradient for gradient in gradients))


def gap(value: Tensor, gradients: Sequence[Tensor], parameters: Sequence[Tensor]) -> Tensor:
    """`value` as a number whose gradient by `parameters` is `gradients`.

    So a learning rule that is no derivative of anything at hand (contrastive divergence) goes
    through the same backward pass, optimizers and penalties as every loss.
    """
    return _Gap.apply(value, tuple(gradients), *parameters)  # type: ignore[no-any-return, no-untyped-call]
