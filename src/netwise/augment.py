"""Augmentation: a changed copy of each training batch, drawn from the recipe's own stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from netwise.fields import Part, integer, number


class Augment(Part):
    """What every augmentation has: `apply` changes a batch of inputs; targets stay.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Noise(std=0.0).apply(torch.ones(2, 3), torch.Generator()).tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    called: ClassVar[str] = "augmentation"

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A new batch shaped like `x`."""
        raise TypeError(f"{type(self).__name__} is an interface: write one of its members, such as Noise(std=0.1)")


@dataclass(frozen=True, kw_only=True)
class Noise(Augment):
    """Add normal noise to every input.

    Args:
        std: spread of the noise in units of the inputs, at least 0. Default 0.1.

    Example:
        >>> import netwise as nw, torch
        >>> x = nw.Noise(std=0.5).apply(torch.zeros(100, 100), torch.Generator().manual_seed(0))
        >>> round(x.std().item(), 1)
        0.5

    Source: note 000, claim G01.
    """

    std: float = number(0.1, least=0, because="a spread is not negative", why="a tenth of a standardised input")

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return x + self.std * torch.randn(x.shape, generator=generator).to(x.device)


@dataclass(frozen=True, kw_only=True)
class Shift(Augment):
    """Move each batch of images by up to `pixels` in both directions; what leaves comes back as 0.

    Args:
        pixels: farthest move, from 0 to 64. Default 1.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Shift(pixels=2).apply(torch.ones(4, 1, 8, 8), torch.Generator().manual_seed(0)).shape
        torch.Size([4, 1, 8, 8])

    Source: note 004, claim G04.
    """

    pixels: int = integer(1, least=0, most=64, because="it moves whole pixels", why="the note's one-pixel shifts")

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        if x.dim() != 4:
            raise ValueError(f"Shift takes images (samples, channels, height, width), not {tuple(x.shape)}")
        side, height, width = self.pixels, x.shape[2], x.shape[3]
        padded = torch.nn.functional.pad(x, (side,) * 4)
        down, right = torch.randint(0, 2 * side + 1, (2,), generator=generator).tolist()
        return padded[:, :, down : down + height, right : right + width]


AUGMENTS: tuple[type[Augment], ...] = (Noise, Shift)
