"""Geometric augmentations of images: shifts, flips, crops, rotations, affine and elastic
transforms, drawn for each image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.part import flag, integer, number, text
from netwise.parts.augment.augment import EDGE, FILLS, Augment, as_images, uniform

SHARE = "it is a share of the images"


@dataclass(frozen=True, kw_only=True)
class Shift(Augment):
    """Shift each image by up to `pixels` in both directions; 4 for images of 32x32 is the usual
    padded random crop.

    Args:
        pixels: largest shift, from 0 to 64. Default 1.
        fill: values beyond the edge: "zeros", "border" or "reflection". Default "zeros".

    Example:
        >>> import netwise as nw, torch
        >>> nw.Shift(pixels=2).apply(torch.ones(4, 1, 8, 8), torch.Generator().manual_seed(0)).shape
        torch.Size([4, 1, 8, 8])

    Source: Nielsen 2015, Neural networks and deep learning, chapter 3; the padded crop: He et al.
    2015, arXiv 1512.03385, section 4.2.
    """

    pixels: int = integer(
        1, least=0, most=64, because="it shifts whole pixels", why="one pixel, for small images"
    )
    fill: str = text("zeros", among=FILLS, why=EDGE)

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        n, channels, height, width = as_images(x, self).shape
        side = self.pixels
        mode = {"zeros": "constant", "border": "replicate", "reflection": "reflect"}[self.fill]
        padded = F.pad(x, (side,) * 4, mode=mode)
        down, right = torch.randint(0, 2 * side + 1, (2, n, 1), generator=generator).to(x.device)
        rows = down + torch.arange(height, device=x.device)
        columns = right + torch.arange(width, device=x.device)
        sample = torch.arange(n, device=x.device)[:, None, None, None]
        channel = torch.arange(channels, device=x.device)[None, :, None, None]
        return padded[sample, channel, rows[:, None, :, None], columns[:, None, None, :]]


@dataclass(frozen=True, kw_only=True)
class Flip(Augment):
    """Flip each image horizontally with a given probability. Not for digits or letters: a mirrored
    2 is not a 2.

    Args:
        chance: probability, from 0 to 1. Default 0.5.
        vertical: flip vertically instead. Default false.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Flip(chance=1.0).apply(torch.tensor([[[[1.0, 2.0]]]]), torch.Generator()).tolist()
        [[[[2.0, 1.0]]]]
    """

    chance: float = number(
        0.5, least=0, most=1, because=SHARE, why="both orientations equally often"
    )
    vertical: bool = flag(False, why="most images have an up and a down")

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        chosen = torch.rand(len(as_images(x, self)), generator=generator).to(x.device) < self.chance
        return torch.where(chosen[:, None, None, None], x.flip(2 if self.vertical else 3), x)


@dataclass(frozen=True, kw_only=True)
class Affine(Augment):
    """Rotate, shift, scale and shear each image about its centre, with bilinear sampling.

    Args:
        degrees: largest rotation, from 0 to 180. Default 10.
        shift: largest shift as a share of the side, from 0 to 1. Default 0.05.
        scale: factors from 1 - scale to 1 + scale, from 0 to below 1. Default 0.1.
        shear: largest shear in degrees, from 0 to 80. Default 0.
        fill: values beyond the edge: "zeros", "border" or "reflection". Default "zeros".

    Example:
        >>> import netwise as nw, torch
        >>> identity = nw.Affine(degrees=0, shift=0, scale=0)
        >>> x = torch.rand(2, 1, 5, 5)
        >>> torch.allclose(identity.apply(x, torch.Generator()), x, atol=1e-6)
        True

    Source: Simard, Steinkraus, Platt 2003, Best practices for convolutional neural networks,
    section 2; torchvision's `RandomAffine`.
    """

    degrees: float = number(
        10.0, least=0, most=180, because="it is an angle", why="as far as handwriting leans"
    )
    shift: float = number(
        0.05,
        least=0,
        most=1,
        because="it is a share of the side",
        why="a pixel or two of small images",
    )
    scale: float = number(
        0.1, least=0, below=1, because="sizes stay positive", why="as far as handwriting differs"
    )
    shear: float = number(
        0.0, least=0, most=80, because="it is an angle", why="rotation and scale alone"
    )
    fill: str = text("zeros", among=FILLS, why=EDGE)

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        n = len(as_images(x, self))
        turn = uniform((n,), -self.degrees, self.degrees, generator) * math.pi / 180
        sheared = torch.tan(uniform((n,), -self.shear, self.shear, generator) * math.pi / 180)
        size = uniform((n,), 1 - self.scale, 1 + self.scale, generator)
        across, down = uniform((2, n), -2 * self.shift, 2 * self.shift, generator)
        return transform(x, turn, size, sheared, across, down, self.fill)


def transform(
    x: Tensor, turn: Tensor, size: Tensor, shear: Tensor, across: Tensor, down: Tensor, fill: str
) -> Tensor:
    """Images (n, channels, height, width) under affine maps.

    Args:
        x: the images.
        turn: clockwise rotation of each image in radians, (n,).
        size: factor on its size, (n,).
        shear: tangent of its shear angle, (n,).
        across, down: its shift in halves of the width and the height, (n,).
        fill: values beyond the edge.
    """
    n, _, height, width = x.shape
    cos, sin = torch.cos(turn) / size, torch.sin(turn) / size
    aspect = height / width  # `affine_grid` has coordinates from -1 to 1 along both sides
    rows = [
        torch.stack([cos, (sin + shear * cos) * aspect, -across], 1),
        torch.stack([-sin / aspect, cos - shear * sin, -down], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1).to(x), [n, 1, height, width], align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode=fill, align_corners=False)


@dataclass(frozen=True, kw_only=True)
class Rotate(Augment):
    """Rotate each image about its centre by up to `degrees` in both directions.

    Args:
        degrees: largest rotation, from 0 to 180. Default 10.
        fill: values beyond the edge: "zeros", "border" or "reflection". Default "zeros".

    Example:
        >>> import netwise as nw, torch
        >>> x, generator = torch.ones(2, 1, 8, 8), torch.Generator().manual_seed(0)
        >>> nw.Rotate(degrees=15).apply(x, generator).shape
        torch.Size([2, 1, 8, 8])

    Source: Nielsen 2015, Neural networks and deep learning, chapter 3; torchvision's
    `RandomRotation`.
    """

    degrees: float = number(
        10.0, least=0, most=180, because="it is an angle", why="as far as handwriting leans"
    )
    fill: str = text("zeros", among=FILLS, why=EDGE)

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return Affine(degrees=self.degrees, shift=0.0, scale=0.0, fill=self.fill).apply(
            as_images(x, self), generator
        )


@dataclass(frozen=True, kw_only=True)
class Crop(Augment):
    """Crop a random square window of each image and resize it to the original size.

    Args:
        least: smallest side of the window as a share of the image's, above 0 and at most 1. Default
            0.8.

    Example:
        >>> import netwise as nw, torch
        >>> x = nw.Crop(least=0.5).apply(torch.ones(2, 3, 8, 8), torch.Generator().manual_seed(0))
        >>> x.shape, round(float(x.min()), 4)
        (torch.Size([2, 3, 8, 8]), 1.0)

    Source: Szegedy et al. 2014, arXiv 1409.4842, section 6, with square windows.
    """

    least: float = number(
        0.8,
        above=0,
        most=1,
        because="it is a share of the side",
        why="keeps what small images show",
    )

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        n = len(as_images(x, self))
        side = uniform((n,), self.least, 1.0, generator)
        across, down = uniform((2, n), -1.0, 1.0, generator) * (1 - side)
        zero = torch.zeros(n)
        return transform(x, zero, 1 / side, zero, across, down, "border")


@dataclass(frozen=True, kw_only=True)
class Elastic(Augment):
    """Elastic distortion: a random displacement field, smoothed by a Gaussian, then scaled.

    Args:
        strength: standard deviation of the displacement in pixels, at least 0. Default 1.5.
        smoothness: standard deviation of the smoothing in pixels, above 0. Default 4.0.
        fill: beyond the edge: "zeros", "border" or "reflection". Default "zeros".

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.rand(2, 1, 28, 28)
        >>> torch.allclose(nw.Elastic(strength=0.0).apply(x, torch.Generator()), x, atol=1e-5)
        True

    Source: Simard, Steinkraus, Platt 2003, Best practices for convolutional neural networks,
    section 2; their alpha scales the smoothed field itself, here the field first gets standard
    deviation 1, so that `strength` is in pixels for any smoothness.
    """

    strength: float = number(
        1.5, least=0, because="0 changes nothing", why="distorted digits can still be read"
    )
    smoothness: float = number(
        4.0, above=0, because="it is a width in pixels", why="the paper's value for digits"
    )
    fill: str = text("zeros", among=FILLS, why=EDGE)

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        n, _, height, width = as_images(x, self).shape
        field = smooth_field(n, height, width, self.smoothness, generator).to(x)
        return warp(x, self.strength * field, self.fill)


def smooth_field(
    n: int, height: int, width: int, smoothness: float, generator: torch.Generator
) -> Tensor:
    """(n, 2, height, width): normal noise smoothed by a Gaussian, with mean variance 1."""
    reach = math.ceil(3 * smoothness)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / smoothness).square())
    kernel = kernel / kernel.norm()  # smoothing then keeps the variance of white noise
    # Noise beyond the edges, too, so that the variance is the same everywhere.
    noise = torch.randn((n * 2, 1, height + 2 * reach, width + 2 * reach), generator=generator)
    field = F.conv2d(F.conv2d(noise, kernel[None, None, :, None]), kernel[None, None, None, :])
    return field.reshape(n, 2, height, width)


def warp(x: Tensor, field: Tensor, fill: str) -> Tensor:
    """Each image sampled at its pixels' positions plus `field`, (n, 2, height, width): x and y
    displacements in pixels."""
    n, _, height, width = x.shape
    identity = torch.eye(2, 3).to(x).expand(n, 2, 3)
    grid = F.affine_grid(identity, [n, 1, height, width], align_corners=False)
    scale = torch.tensor([2 / width, 2 / height]).to(x)
    return F.grid_sample(
        x,
        grid + field.permute(0, 2, 3, 1) * scale,
        mode="bilinear",
        padding_mode=fill,
        align_corners=False,
    )
