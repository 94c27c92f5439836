"""A size that suits the pictures of a data set."""

from __future__ import annotations

import numpy as np

from netwise.data.image_files.decoding import quiet, size_of
from netwise.data.image_files.listing import Listing

LOOKED_AT = 300  # pictures whose size is looked at
DEFAULT_SIDE = 32
SIDES = (64, 8)  # of a chosen size: the side of a square of the same area, and the least step


def fitting_size(listing: Listing) -> tuple[int, int]:
    """Height and width that suit pictures: their usual shape, of at most 64 x 64 pixels.

    Example:
        >>> fitting_size(Listing(()))
        (32, 32)
    """
    paths = [picture.path for picture in listing.pictures]
    with quiet():
        found = [size_of(path) for path in paths[:: len(paths) // LOOKED_AT + 1]]
    sizes = np.array([each for each in found if each is not None and min(each) > 0])
    if not len(sizes):
        return DEFAULT_SIDE, DEFAULT_SIDE
    side, step = SIDES
    ratio = float(np.median(sizes[:, 0] / sizes[:, 1]).clip(0.5, 2))
    height, width = np.median(sizes, axis=0)
    if height * width <= side * side and len(np.unique(sizes, axis=0)) == 1:
        return int(height), int(width)
    area = min(side * side, height * width)
    fits = [max(step, round((area * share) ** 0.5 / step) * step) for share in (ratio, 1 / ratio)]
    return fits[0], fits[1]
