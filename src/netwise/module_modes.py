"""Training and evaluation mode of a module's layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Inside, all layers are in evaluation mode; afterwards each has the mode that it had.

    Layers may have different modes: a frozen norm layer stays in evaluation mode while the rest
    trains.

    Example:
        >>> from torch import nn
        >>> from netwise.module_modes import evaluation_mode
        >>> module = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(3).eval())
        >>> with evaluation_mode(module):
        ...     [layer.training for layer in module.modules()]
        [False, False, False]
        >>> [layer.training for layer in module.modules()]
        [True, True, False]
    """
    modes = [(layer, layer.training) for layer in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for layer, mode in modes:
            layer.training = mode
