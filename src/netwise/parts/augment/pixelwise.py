"""Augmentations of single values: noise, masks, erased patches, colours; and blends of samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from netwise.errors import DataError
from netwise.part import number
from netwise.parts.augment.augment import Augment, as_images, uniform


@dataclass(frozen=True, kw_only=True)
class Noise(Augment):
    """Add normal noise to every input.

    Args:
        std: standard deviation of the noise in units of the inputs, at least 0. Default 0.1.

    Example:
        >>> import netwise as nw, torch
        >>> x = nw.Noise(std=0.5).apply(torch.zeros(100, 100), torch.Generator().manual_seed(0))
        >>> round(x.std().item(), 1)
        0.5

    Source: Bishop 1995, Training with noise is equivalent to Tikhonov regularization.
    """

    std: float = number(
        0.1,
        least=0,
        because="a standard deviation is not negative",
        why="a tenth of a standardised input",
    )

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return x + self.std * torch.randn(x.shape, generator=generator).to(x.device)


@dataclass(frozen=True, kw_only=True)
class Mask(Augment):
    """Set a random share of the inputs to 0: the corruption of a denoising autoencoder.

    Args:
        share: of the inputs, from 0 to below 1. Default 0.25.

    Example:
        >>> import netwise as nw, torch
        >>> x = nw.Mask(share=0.5).apply(torch.ones(100, 100), torch.Generator().manual_seed(0))
        >>> round(x.mean().item(), 1)
        0.5

    Source: Vincent et al. 2008, "Extracting and composing robust features with denoising
    autoencoders".
    """

    share: float = number(
        0.25, least=0, below=1, because="it is a share of the inputs", why="the papers' usual value"
    )

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return x * (torch.rand(x.shape, generator=generator) >= self.share).to(x)


@dataclass(frozen=True, kw_only=True)
class SaltAndPepper(Augment):
    """Set a random share of the inputs to the lowest or the highest value, each equally often.

    Args:
        share: of the inputs, from 0 to below 1. Default 0.1.
        low, high: the two values. Default 0.0 and 1.0.

    Example:
        >>> import netwise as nw, torch
        >>> grey, generator = torch.full((100, 100), 0.5), torch.Generator().manual_seed(0)
        >>> x = nw.SaltAndPepper(share=0.5).apply(grey, generator)
        >>> round((x == 0.5).float().mean().item(), 1), sorted(x.unique().tolist())
        (0.5, [0.0, 0.5, 1.0])

    Source: Vincent et al. 2010, "Stacked denoising autoencoders", section 4.2.
    """

    share: float = number(
        0.1, least=0, below=1, because="it is a share of the inputs", why="the paper's smallest"
    )
    low: float = number(0.0, why="the black of pixels from 0 to 1")
    high: float = number(1.0, why="the white of pixels from 0 to 1")

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        draws = torch.rand(x.shape, generator=generator).to(x)
        low, high = torch.full((), self.low).to(x), torch.full((), self.high).to(x)
        noisy = torch.where(draws < self.share / 2, low, high)
        return torch.where(draws < self.share, noisy, x)


@dataclass(frozen=True, kw_only=True)
class DrawBits(Augment):
    """Replace every input by a Bernoulli draw, with the input as the probability of 1: grey values
    as probabilities.

    Example:
        >>> import netwise as nw, torch
        >>> x = nw.DrawBits().apply(torch.full((100, 100), 0.3), torch.Generator().manual_seed(0))
        >>> sorted(x.unique().tolist()), round(x.mean().item(), 1)
        ([0.0, 1.0], 0.3)

    Source: Salakhutdinov, Murray 2008, On the quantitative analysis of deep belief networks, for
    MNIST.
    """

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return (torch.rand(x.shape, generator=generator).to(x) < x).to(x.dtype)


@dataclass(frozen=True, kw_only=True)
class Erase(Augment):
    """Overwrite a random rectangle of each image, so that the network uses several regions.

    Args:
        chance: probability for each image, from 0 to 1. Default 0.5.
        share: largest side of the rectangle as a share of the image's, above 0 and at most 1.
            Default 0.4.
        value: of the pixels in the rectangle. Default 0.0.

    Example:
        >>> import netwise as nw, torch
        >>> ones, generator = torch.ones(50, 1, 10, 10), torch.Generator().manual_seed(0)
        >>> x = nw.Erase(chance=1.0).apply(ones, generator)
        >>> 0.8 < float(x.mean()) < 1
        True

    Source: Zhong et al. 2017, arXiv 1708.04896; DeVries, Taylor 2017, arXiv 1708.04552.
    """

    chance: float = number(
        0.5, least=0, most=1, because="it is a share of the images", why="the paper's value"
    )
    share: float = number(
        0.4, above=0, most=1, because="it is a share of the side", why="at most a sixth of the area"
    )
    value: float = number(0.0, why="the mean of standardised pixels, and the background of digits")

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        n, _, height, width = as_images(x, self).shape
        draws = torch.rand((5, n, 1), generator=generator).to(x.device)
        box_height = 1 + (draws[0] * max(1, round(self.share * height))).floor()
        box_width = 1 + (draws[1] * max(1, round(self.share * width))).floor()
        top = (draws[2] * (height - box_height + 1)).floor()
        left = (draws[3] * (width - box_width + 1)).floor()
        chosen = draws[4] < self.chance
        rows, columns = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
        in_rows = (rows >= top) & (rows < top + box_height)
        in_columns = (columns >= left) & (columns < left + box_width)
        erased = in_rows[:, :, None] & in_columns[:, None, :] & chosen[:, :, None]
        return torch.where(erased[:, None], torch.full((), self.value).to(x), x)


@dataclass(frozen=True, kw_only=True)
class ColourJitter(Augment):
    """Change brightness, contrast and saturation of each image by random factors from 1 - s to
    1 + s.

    Brightness multiplies, contrast blends with the image's mean grey, saturation with each pixel's
    grey. For pixels from 0 to 1; results are not clipped, because inputs may be standardised.

    Args:
        brightness, contrast, saturation: from 0 to 1. Default 0.2 each; images of one channel have
            no saturation.

    Example:
        >>> import netwise as nw, torch
        >>> x, jitter = torch.rand(2, 3, 4, 4), nw.ColourJitter(contrast=0, saturation=0)
        >>> factors = jitter.apply(x, torch.Generator().manual_seed(0)) / x
        >>> bool((factors.amax((1, 2, 3)) - factors.amin((1, 2, 3)) < 1e-5).all())  # one per image
        True

    Source: Howard 2013, arXiv 1312.5402; grey is ITU-R BT.601's 0.299 R + 0.587 G + 0.114 B.
    """

    brightness: float = number(
        0.2, least=0, most=1, because="factors stay positive", why="a moderate change of light"
    )
    contrast: float = number(
        0.2, least=0, most=1, because="factors stay positive", why="a moderate change of light"
    )
    saturation: float = number(
        0.2, least=0, most=1, because="factors stay positive", why="a moderate change of colour"
    )

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        n, channels = as_images(x, self).shape[:2]
        if channels not in (1, 3):
            raise DataError(
                f"ColourJitter takes images of 1 or 3 channels, not {channels}: remove it from"
                " augment"
            )
        light, contrast, saturation = (
            uniform((n, 1, 1, 1), 1 - s, 1 + s, generator).to(x)
            for s in (self.brightness, self.contrast, self.saturation)
        )
        if self.brightness:
            x = x * light
        if self.contrast:
            mean = grey(x).mean((2, 3), keepdim=True)
            x = mean + (x - mean) * contrast
        if self.saturation and channels == 3:
            pixel_grey = grey(x)
            x = pixel_grey + (x - pixel_grey) * saturation
        return x


def grey(x: Tensor) -> Tensor:
    """Brightness of each pixel, (samples, 1, height, width)."""
    if x.shape[1] == 1:
        return x
    return (x * torch.tensor([0.299, 0.587, 0.114]).to(x)[:, None, None]).sum(1, keepdim=True)


@dataclass(frozen=True, kw_only=True)
class Mixup(Augment):
    """Train on blends of two samples: x = s x_i + (1 - s) x_j, loss = s loss_i + (1 - s) loss_j,
    with s ~ Beta(alpha, alpha) for each batch.

    Args:
        alpha: above 0; a small one gives s near 0 or 1. Default 0.2.

    Example:
        >>> import netwise as nw, torch
        >>> x, other, share = nw.Mixup().mix(torch.eye(3), torch.Generator().manual_seed(0))
        >>> [round(row, 4) for row in x.sum(1).tolist()], sorted(other.tolist()), 0 <= share <= 1
        ([1.0, 1.0, 1.0], [0, 1, 2], True)

    Source: Zhang, Cisse, Dauphin, Lopez-Paz 2017, arXiv 1710.09412, eq. 1 and 2.
    """

    mixes: ClassVar[bool] = True
    alpha: float = number(
        0.2, above=0, because="a Beta distribution needs it", why="the paper's value for ImageNet"
    )

    def mix(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
        a, b = (
            torch._standard_gamma(
                torch.full((2,), self.alpha, dtype=torch.float64), generator=generator
            )
            .clamp_min(1e-300)
            .tolist()
        )
        share = a / (a + b)
        other = torch.randperm(len(x), generator=generator).to(x.device)
        return share * x + (1 - share) * x[other], other, share
