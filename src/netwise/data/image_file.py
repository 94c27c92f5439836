"""Pixels of an image file, read within bounds."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from netwise.errors import DataError
from netwise.regular_files import open_regular

ENDINGS = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
)
# Pillow chooses by the content, not by the name: without this list a file that is called a.png and
# holds PostScript would start Ghostscript.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
MAX_BYTES = 2**28  # of the file
MAX_PIXELS = 80_000_000  # of the image before it is resized: 240 MB in colour


class BrokenImage(DataError):
    """An image file that cannot be read: its path, and the reason."""


def read_image(path: Path, *, height: int, width: int, colour: bool) -> np.ndarray:
    """An image file, resized (bilinear): uint8 (height, width, 3), or (height, width) in grey.

    Args:
        path: of the file, in one of `FORMATS`.
        height, width: of the result.
        colour: three channels instead of one.

    Raises:
        BrokenImage: no image, a truncated one, one that may not be read, or one of more than
            `MAX_PIXELS` pixels, which are counted before any is unpacked.

    Example:
        >>> import tempfile
        >>> from netwise.data.image_file import read_image
        >>> path = Path(tempfile.mkdtemp()) / "a.pgm"
        >>> _ = path.write_bytes(b"P5 2 1 255 " + bytes([0, 200]))
        >>> read_image(path, height=1, width=2, colour=False)
        array([[  0, 200]], dtype=uint8)
    """
    from PIL import Image  # heavy

    try:
        with warnings.catch_warnings(), open_regular(path, at_most=MAX_BYTES) as file:
            warnings.simplefilter("ignore")  # of unusual metadata
            with Image.open(file, formats=FORMATS) as image:
                _require_few_pixels(image.width, image.height)
                pixels = image.convert("RGB" if colour else "L").resize(
                    (width, height), Image.Resampling.BILINEAR
                )
        return np.asarray(pixels, dtype=np.uint8)
    except Exception as error:  # each format fails in its own way
        lines = str(getattr(error, "strerror", None) or error).splitlines()
        reason = (lines or [type(error).__name__])[0].replace(f" {path}", "").rstrip(".")
        raise BrokenImage(
            f"{path} cannot be read as an image: {reason[:200]}. Remove or replace it, or leave "
            "out all such files: netwise train --skip-broken, skip_broken = true in a recipe"
        ) from None


def _require_few_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"it has {width:,} x {height:,} pixels, more than the {MAX_PIXELS:,} read: shrink it"
        )
