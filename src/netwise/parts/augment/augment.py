"""What every augmentation has: a changed copy of a training batch, or more training samples."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from netwise.errors import DataError, interface_error
from netwise.part import Part


class Augment(Part):
    """What every augmentation has. One of three methods does the work, the others leave everything
    as it is.

    `apply` changes a batch of inputs anew each time it is trained on. `mix` blends the samples of a
    batch with each other, targets too. `enlarge` adds samples to the training part, once, before
    training. All of them see inputs after the recipe's preprocessing.

    Attributes:
        mixes, enlarges: it works by `mix`, or by `enlarge`.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Noise(std=0.0).apply(torch.ones(2, 3), torch.Generator()).tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    family_name: ClassVar[str] = "augmentation"
    mixes: ClassVar[bool] = False
    enlarges: ClassVar[bool] = False

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A new batch shaped like `x`."""
        if not (self.mixes or self.enlarges):
            raise interface_error(self, "Noise(std=0.1)")
        return x

    def mix(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
        """(blended inputs, for each sample the row it was blended with, share of the sample's own
        target)."""
        return x, torch.arange(len(x)), 1.0

    def enlarge(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The training part with more samples."""
        return x, y


def images(x: Tensor, who: Augment) -> Tensor:
    """`x`, which has to be images.

    Raises:
        DataError: it is not.
    """
    if x.dim() != 4:
        raise DataError(
            f"{type(who).__name__} takes images (samples, channels, height, width), not {tuple(x.shape)}"
        )
    return x


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Numbers from U(low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator)


FILLS = ("zeros", "border", "reflection")  # torch's names for what lies beyond an image's edge
EDGE = "background where pixels are from 0 to 1; `border` after standardising"
