"""The names of this package, once; see `netwise.lazy_names`."""

from netwise.part import Kinds
from netwise.parts.augment.augment import Augment as Augment
from netwise.parts.augment.enlarging import (
    FromDistribution as FromDistribution,
    NoiseCopies as NoiseCopies,
    Resample as Resample,
    ShiftCopies as ShiftCopies,
)
from netwise.parts.augment.geometric import (
    Affine as Affine,
    Crop as Crop,
    Elastic as Elastic,
    Flip as Flip,
    Rotate as Rotate,
    Shift as Shift,
)
from netwise.parts.augment.pixelwise import (
    ColourJitter as ColourJitter,
    DrawBits as DrawBits,
    Erase as Erase,
    Mask as Mask,
    Mixup as Mixup,
    Noise as Noise,
    SaltAndPepper as SaltAndPepper,
)

AUGMENTS: Kinds
__all__: list[str]
