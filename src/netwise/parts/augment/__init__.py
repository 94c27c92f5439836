"""Augmentation: randomly changed training samples, drawn from the recipe's random streams."""

from netwise.lazy_names import lazily, stub_names
from netwise.part import Kinds

AUGMENTS = Kinds(
    __name__,
    "Noise",
    "Mask",
    "SaltAndPepper",
    "DrawBits",
    "Shift",
    "Flip",
    "Crop",
    "Rotate",
    "Affine",
    "Elastic",
    "Erase",
    "ColourJitter",
    "Mixup",
    "NoiseCopies",
    "ShiftCopies",
    "Resample",
    "FromDistribution",
)

_HOMES = stub_names(__path__[0])
__all__ = ["AUGMENTS", *_HOMES]
__getattr__ = lazily(__name__, _HOMES)
