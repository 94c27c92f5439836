"""Augmentation: randomly changed training samples, drawn from the recipe's random streams."""

from __future__ import annotations

from netwise.parts.augment.augment import Augment
from netwise.parts.augment.enlarging import FromDistribution, NoiseCopies, Resample, ShiftCopies
from netwise.parts.augment.geometric import Affine, Crop, Elastic, Flip, Rotate, Shift
from netwise.parts.augment.pixelwise import (
    ColourJitter,
    DrawBits,
    Erase,
    Mask,
    Mixup,
    Noise,
    SaltAndPepper,
)

AUGMENTS: tuple[type[Augment], ...] = (
    Noise,
    Mask,
    SaltAndPepper,
    DrawBits,
    Shift,
    Flip,
    Crop,
    Rotate,
    Affine,
    Elastic,
    Erase,
    ColourJitter,
    Mixup,
    NoiseCopies,
    ShiftCopies,
    Resample,
    FromDistribution,
)

__all__ = [
    "AUGMENTS",
    "Affine",
    "Augment",
    "ColourJitter",
    "Crop",
    "DrawBits",
    "Elastic",
    "Erase",
    "Flip",
    "FromDistribution",
    "Mask",
    "Mixup",
    "Noise",
    "NoiseCopies",
    "Resample",
    "Rotate",
    "SaltAndPepper",
    "Shift",
    "ShiftCopies",
]
