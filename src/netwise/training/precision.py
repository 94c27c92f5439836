"""The precision of a run's steps: float32, TensorFloat-32 or bfloat16 by autocast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

FLOAT32 = "float32"
TF32 = "tf32"
BFLOAT16 = "bfloat16"
PRECISIONS = (FLOAT32, TF32, BFLOAT16)


@contextmanager
def matrix_products(precision: str | None, device: torch.device) -> Iterator[None]:
    """Set how a CUDA device multiplies float32 matrices, and set it back at the end.

    Args:
        precision: "float32": all bits count. "tf32" and "bfloat16": inputs are rounded to 10 bits
            of mantissa, sums are float32. None: as torch is set, which rounds in convolutions only.
        device: that computes; others than CUDA have no such setting.
    """
    if precision is None or device.type != "cuda":
        yield
        return
    backends: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [backend.allow_tf32 for backend in backends]
    try:
        for backend in backends:
            backend.allow_tf32 = precision != FLOAT32
        yield
    finally:
        for backend, allowed in zip(backends, before, strict=True):
            backend.allow_tf32 = allowed


def forward_pass(
    module: nn.Module, precision: str | None, device: torch.device
) -> Callable[..., Any]:
    """What computes the outputs of a training step: the module itself, or the module under
    autocast with outputs in float32, so that the loss loses no digits.

    Source: Kalamkar et al. 2019, arXiv 1905.12322 (training in bfloat16 without a scaled loss).
    """
    if precision != BFLOAT16:
        return module

    def rounded(*args: Tensor) -> Any:
        with torch.autocast(device.type, torch.bfloat16):
            outputs = module(*args)
        if isinstance(outputs, tuple):  # auxiliary heads follow
            return tuple(output.float() for output in outputs)
        return outputs.float()

    return rounded
