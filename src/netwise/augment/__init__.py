"""Augmentation: changed copies of training samples, drawn from the recipe's own stream."""

from __future__ import annotations

from netwise.augment.augment import Augment
from netwise.augment.copies import FromDistribution, NoiseCopies, Resample, ShiftCopies
from netwise.augment.moves import Affine, Crop, Elastic, Flip, Rotate, Shift
from netwise.augment.pixels import ColourJitter, Erase, Mixup, Noise

AUGMENTS: tuple[type[Augment], ...] = (
    Noise,
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
    "Elastic",
    "Erase",
    "Flip",
    "FromDistribution",
    "Mixup",
    "Noise",
    "NoiseCopies",
    "Resample",
    "Rotate",
    "Shift",
    "ShiftCopies",
]
