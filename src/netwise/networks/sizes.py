"""Sizes of maps after convolution and pooling, and convolutions with SAME padding at any stride."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from netwise.networks.script_source import ScriptSource

__all__ = ["SameConv2d", "same", "same_padding", "valid"]


def same(size: int, stride: int = 1) -> int:
    """SAME: the output's side is the input's over the stride, rounded up, whatever the kernel.

    Example:
        >>> import netwise as nw
        >>> nw.sizes.same(28, stride=2), nw.sizes.same(7, stride=2)
        (14, 4)

    Source: note 001, claim Y01.
    """
    return math.ceil(_positive(size, "size") / _positive(stride, "stride"))


def valid(size: int, kernel: int, stride: int = 1) -> int:
    """VALID: only where the kernel lies inside, (size - kernel + 1) / stride, rounded up.

    The note prints it without the brackets around the sum (erratum E04).

    Raises:
        ValueError: the kernel is larger than the map.

    Example:
        >>> import netwise as nw
        >>> nw.sizes.valid(32, kernel=5), nw.sizes.valid(227, kernel=11, stride=4)
        (28, 55)

    Source: note 001, claim Y01, erratum E04.
    """
    if _positive(kernel, "kernel") > _positive(size, "size"):
        raise ValueError(
            f"kernel = {kernel} does not fit into a map of size {size}: pad the map, or use same()"
        )
    return math.ceil((size - kernel + 1) / _positive(stride, "stride"))


def same_padding(size: int, kernel: int, stride: int = 1) -> tuple[int, int]:
    """(before, after): zeros that SAME adds along one side; the odd one goes after, as TensorFlow
    has it.

    Example:
        >>> import netwise as nw
        >>> nw.sizes.same_padding(28, kernel=3), nw.sizes.same_padding(28, kernel=3, stride=2)
        ((1, 1), (0, 1))
    """
    missing = max((same(size, stride) - 1) * stride + _positive(kernel, "kernel") - size, 0)
    return missing // 2, missing - missing // 2


def _positive(value: int, name: str) -> int:
    if value < 1:
        raise ValueError(f"{name} = {value} must be at least 1: use a whole number such as 3")
    return value


class SameConv2d(nn.Conv2d):
    """A convolution with SAME padding at any stride; torch's own `padding="same"` refuses strides
    above 1."""

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (
            same_padding(n, k, s)
            for n, k, s in zip(x.shape[2:], self.kernel_size, self.stride, strict=True)
        )
        if rows[0] == rows[1] and columns[0] == columns[1]:
            return F.conv2d(
                x,
                self.weight,
                self.bias,
                self.stride,
                (rows[0], columns[0]),
                self.dilation,
                self.groups,
            )
        return F.conv2d(
            F.pad(x, (*columns, *rows)),
            self.weight,
            self.bias,
            self.stride,
            0,
            self.dilation,
            self.groups,
        )


SMALL = 64  # images with sides below this get the small form of networks made for ImageNet


def adaptive_side(image: tuple[int, ...], shrink: int) -> tuple[int, int]:
    """Sides of the maps after `shrink`-fold poolings, rounded down, at least 1."""
    height, width = image
    return max(1, height // shrink), max(1, width // shrink)


SCRIPT_SOURCES = {SameConv2d: ScriptSource((_positive, same, same_padding))}


def __dir__() -> list[str]:
    return __all__
