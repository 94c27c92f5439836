"""Pixels of an image file as a viewer shows them, read within bounds."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netwise.errors import DataError
from netwise.regular_files import open_regular

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

# fmt: off
ENDINGS = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jif", ".jfif", ".pjpeg", ".pjp", ".mpo", ".bmp",
    ".dib", ".gif", ".webp", ".avif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm",
})
# fmt: on
# Pillow chooses by the content, not by the name: without this list a file that is called a.png and
# holds PostScript would start Ghostscript.
FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "WEBP", "AVIF", "TIFF", "PPM")
MAX_BYTES = 2**28  # of the file
MAX_PIXELS = 80_000_000  # of the image before it is resized: 240 MB in colour
LARGE_PIXELS = 16_000_000  # of an image that is unpacked alone, whatever other threads do
DEEP_MODES = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I", "F"})
ORIENTATION = 0x0112  # the EXIF tag
TURNED = (5, 6, 7, 8)  # orientations that exchange height and width

_unpacking_large = threading.Lock()


class BrokenImage(DataError):
    """An image file that cannot be read: its path, and the reason.

    Args:
        path: of the file.
        reason: a sentence without its end.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} cannot be read as an image: {reason}. Remove or replace it, or leave "
            "out all such files: --skip-broken, or skip_broken = true in a recipe"
        )
        self.path, self.reason = path, reason


def read_image(path: Path, *, height: int, width: int, colour: bool) -> np.ndarray:
    """An image file, resized (bilinear): uint8 (height, width, 3), or (height, width) in grey.

    As a viewer shows it: turned as its EXIF orientation says, transparent places on white, the
    first frame of several. A picture of more than 8 bits is scaled by its own least and largest
    value; a data set scales all of its pictures by their common range instead.

    Args:
        path: of the file, in one of `FORMATS`.
        height, width: of the result.
        colour: three channels instead of one.

    Raises:
        BrokenImage: no image, a truncated one, one that may not be read, or one of more than
            `MAX_PIXELS` pixels, which are counted before any is unpacked.

    Example:
        >>> import tempfile
        >>> from netwise.data.image_files.decoding import read_image
        >>> path = Path(tempfile.mkdtemp()) / "a.pgm"
        >>> _ = path.write_bytes(b"P5 2 1 255 " + bytes([0, 200]))
        >>> read_image(path, height=1, width=2, colour=False)
        array([[  0, 200]], dtype=uint8)
    """
    with quiet():
        pixels = decode(path, height=height, width=width, colour=colour).pixels
    if pixels.dtype == np.uint8:
        return pixels
    return as_bytes(pixels, float(pixels.min()), float(pixels.max()), colour=colour)


class DecodedPicture(NamedTuple):
    """An image file, resized, and what was done to show it.

    Args:
        pixels: uint8 (height, width, 3), or (height, width) in grey. Of a picture of more than 8
            bits: float32 (height, width), in its own units; `as_bytes` scales it.
        turned: by its EXIF orientation.
        transparent: it has transparent places, which are white now.
        frames: it has several, of which this is the first.
    """

    pixels: np.ndarray
    turned: bool
    transparent: bool
    frames: bool


def decode(path: Path, *, height: int, width: int, colour: bool) -> DecodedPicture:
    """An image file of which a data set has many. For threads, inside one `quiet()`.

    Raises:
        BrokenImage: as for `read_image`.
    """
    try:
        with open_regular(path, at_most=MAX_BYTES) as file, _opened(file) as image:
            _require_few_pixels(image.width, image.height)
            # A JPEG unpacks to an eighth of its sides in a fraction of the time; three times the
            # wanted side leaves the resizing all that it averages over.
            image.draft(None, (3 * max(height, width),) * 2)
            if image.width * image.height < LARGE_PIXELS:
                return _pixels(image, height, width, colour)
            with _unpacking_large:
                return _pixels(image, height, width, colour)
    except Exception as error:  # each format fails in its own way
        lines = str(getattr(error, "strerror", None) or error).splitlines()
        reason = (lines or [type(error).__name__])[0].replace(f" {path}", "").rstrip(".")
        reason = reason.partition(" <_io.")[0]  # Pillow names the open file
        raise BrokenImage(path, reason[:200]) from None


def size_of(path: Path) -> tuple[int, int] | None:
    """Height and width of an image as it is shown, from its header; None where there is none.
    For threads, inside one `quiet()`."""
    try:
        with open_regular(path, at_most=MAX_BYTES) as file, _opened(file) as image:
            # A TIFF has turned its size already; to look for more metadata would unpack a PNG.
            known = image.format != "TIFF" and "exif" in image.info
            turned = known and _orientation(image) in TURNED
            return (image.width, image.height) if turned else (image.height, image.width)
    except Exception:  # reading it says what is wrong
        return None


def as_bytes(values: np.ndarray, low: float, high: float, *, colour: bool) -> np.ndarray:
    """Deep pixels as uint8: `low` becomes 0 and `high` 255; all 0 where they are equal.

    Example:
        >>> from netwise.data.image_files.decoding import as_bytes
        >>> as_bytes(np.array([[-1000.0, 0.0, 1000.0]]), -1000, 1000, colour=False).tolist()
        [[0, 128, 255]]
    """
    span = (high - low) or 1.0
    shares = ((values.astype(np.float64) - low) / span).clip(0, 1)
    grey = np.rint(255 * shares).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2) if colour else grey


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, Pillow does not warn of unusual metadata. Entered by one thread for all: filters of
    warnings belong to the process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this version of Pillow reads."""
    from PIL import Image  # heavy

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _opened(file: object) -> PillowImage:
    from PIL import Image  # heavy

    return Image.open(file, formats=_formats())  # type: ignore[arg-type]  # any binary file


def _pixels(image: PillowImage, height: int, width: int, colour: bool) -> DecodedPicture:
    from PIL import Image  # heavy

    frames = image.format != "MPO" and bool(getattr(image, "is_animated", False))
    before = _orientation(image) if image.format == "TIFF" else 1
    image.load()  # before any metadata are asked for, which would hide that it fails
    orientation = _orientation(image)  # a TIFF has turned itself
    size = (height, width) if orientation in TURNED else (width, height)
    deep = image.mode in DEEP_MODES
    flat = _deep(image) if deep else _on_white(image, "RGB" if colour else "L")
    resized = flat.resize(size, Image.Resampling.BILINEAR)
    turn = _TURNS.get(orientation)
    shown = resized if turn is None else resized.transpose(Image.Transpose[turn])
    pixels = np.asarray(shown, dtype=np.float32 if deep else np.uint8)
    return DecodedPicture(
        pixels, max(before, orientation) > 1, not deep and image.has_transparency_data, frames
    )


# What makes a picture upright, by its orientation: names of Pillow's transpositions.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def _orientation(image: PillowImage) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # metadata may be damaged where the picture is whole
        return 1


def _on_white(image: PillowImage, mode: str) -> PillowImage:
    """The picture without transparency, in RGB or grey."""
    from PIL import Image  # heavy

    if not image.has_transparency_data:
        return image.convert(mode)
    shown = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert(mode)


def _deep(image: PillowImage) -> PillowImage:
    """A picture of 16 or 32 bits as float32; what is no number becomes the least one."""
    from PIL import Image  # heavy

    values = np.asarray(image).astype(np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        raise ValueError("none of its pixels is a finite number: save it again")
    if not finite.all():
        values = np.where(finite, values, values[finite].min())
    return Image.fromarray(values)


def _require_few_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"it has {width:,} x {height:,} pixels, more than the {MAX_PIXELS:,} read: shrink it"
        )
