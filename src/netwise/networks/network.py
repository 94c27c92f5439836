"""What every network has: a value that builds an ordinary torch module."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from netwise.fields import Part


class Network(Part):
    """A description of a network; `build` makes the module, with fresh weights each time.

    Example:
        >>> import netwise as nw
        >>> type(nw.MLP((64, 30, 10)).build()).__name__
        'Sequential'
    """

    called: ClassVar[str] = "network"

    def build(self) -> nn.Module:
        """A fresh module: inputs (samples, ...) in, outputs (samples, outputs) out."""
        raise TypeError(f"{type(self).__name__} is an interface: write one of its members, such as MLP((64, 30, 10))")
