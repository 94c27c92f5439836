"""The interface of augmentations, and what they share."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from netwise.errors import DataError, interface_error
from netwise.part import Part


class Augment(Part):
    """Interface of augmentations. A member overrides one of three methods:

    * `apply` changes the inputs of a batch each time it is used in training.
    * `mix` blends the samples of a batch with each other, and their targets.
    * `enlarge` adds samples to the training part, once, before training.

    All of them are given inputs after the recipe's preprocessing.

    Attributes:
        mixes: the member overrides `mix`.
        enlarges: the member overrides `enlarge`.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Noise(std=0.0).apply(torch.ones(2, 3), torch.Generator()).tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    family_name: ClassVar[str] = "augmentation"
    mixes: ClassVar[bool] = False
    enlarges: ClassVar[bool] = False

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A new batch of the shape of `x`."""
        if not (self.mixes or self.enlarges):
            raise interface_error(self, "Noise(std=0.1)")
        return x

    def mix(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
        """(blended inputs, for each sample the index of the sample it was blended with, weight of
        its own target, from 0 to 1)."""
        return x, torch.arange(len(x)), 1.0

    def enlarge(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the enlarged training part."""
        return x, y


def as_images(x: Tensor, step: Augment) -> Tensor:
    """`x`, checked to be images.

    Raises:
        DataError: it is not (samples, channels, height, width).
    """
    if x.dim() != 4:
        raise DataError(
            f"{type(step).__name__} takes images (samples, channels, height, width), not"
            f" {tuple(x.shape)}: remove it from augment, or choose data with images"
        )
    return x


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """A tensor of draws from U(low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator)


FILLS = ("zeros", "border", "reflection")  # padding modes of torch's `grid_sample`
EDGE = "background where pixels are from 0 to 1; `border` after standardising"
