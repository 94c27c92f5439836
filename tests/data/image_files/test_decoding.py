"""What a viewer shows of an image file is what is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

import netwise as nw
from netwise.data.image_files.decoding import FORMATS, as_bytes, decode, quiet, read_image, size_of

RAMP = np.tile(np.linspace(0, 1, 64), (48, 1))  # brighter from left to right
GREY = Image.fromarray((255 * RAMP).astype(np.uint8))


def pixels(path: Path, *, colour: bool = True) -> np.ndarray:
    return read_image(path, height=12, width=16, colour=colour).astype(int)


@pytest.mark.parametrize(
    "ending",
    [
        "png",
        "apng",
        "jpg",
        "jpeg",
        "jpe",
        "jfif",
        "bmp",
        "dib",
        "gif",
        "webp",
        "avif",
        "tif",
        "tiff",
        "ppm",
        "pgm",
        "pnm",
        "mpo",
    ],
)
def test_each_format_shows_the_ramp(tmp_path: Path, ending: str) -> None:
    names = {"jfif": "JPEG", "jpe": "JPEG", "mpo": "MPO", "apng": "PNG", "pnm": "PPM"}
    path = tmp_path / f"a.{ending}"
    try:
        GREY.convert("RGB").save(path, names.get(ending))
    except (KeyError, OSError, ValueError):
        pytest.skip(f"this Pillow writes no {ending}")
    wanted = 255 * (np.arange(16) + 0.5) / 16
    assert np.abs(pixels(path).mean((0, 2)) - wanted).max() < 6
    assert size_of(path) == (48, 64)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_each_kind_of_pixels_shows_the_ramp(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png")
    GREY.convert("RGB").convert(mode).save(path)
    wanted = 255 * (np.arange(16) + 0.5) / 16
    assert np.abs(pixels(path).mean((0, 2)) - wanted).max() < 40  # "1" is dithered
    assert pixels(path, colour=False).shape == (12, 16)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_a_picture_is_turned_as_its_orientation_says(
    tmp_path: Path, orientation: int, ending: str
) -> None:
    """Reference: Pillow's own `exif_transpose` of the whole picture."""
    draw = np.random.default_rng(0).integers(0, 255, (3, 4, 3), dtype=np.uint8)
    picture = Image.fromarray(draw.repeat(16, 0).repeat(16, 1))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{ending}"
    picture.save(path, exif=exif, quality=98)
    with Image.open(path) as opened:
        turned = ImageOps.exif_transpose(opened).convert("RGB")
    assert size_of(path) == (turned.height, turned.width)
    wanted = np.asarray(turned.resize((20, 10), Image.Resampling.BILINEAR), dtype=int)
    found = read_image(path, height=10, width=20, colour=True).astype(int)
    assert np.abs(found - wanted).max() <= 2


def test_transparent_places_are_white_whatever_colour_they_hide(tmp_path: Path) -> None:
    clear = Image.merge("RGBA", (GREY, GREY, GREY, Image.new("L", GREY.size, 0)))
    half = Image.merge("RGBA", (*[Image.new("L", GREY.size, 0)] * 3, Image.new("L", GREY.size, 51)))
    files = {"a.png": clear, "b.webp": clear, "c.tif": clear, "d.gif": clear}
    for name, picture in files.items():
        picture.save(tmp_path / name)
        assert pixels(tmp_path / name).min() == 255
    clear.quantize(8).save(tmp_path / "palette.png")
    assert pixels(tmp_path / "palette.png").min() == 255
    half.save(tmp_path / "half.png")
    assert set(pixels(tmp_path / "half.png").flatten()) == {204}  # a fifth of black on white
    Image.new("RGB", (9, 9), (0, 9, 0)).save(tmp_path / "one.png", transparency=(0, 9, 0))
    assert pixels(tmp_path / "one.png").min() == 255


@pytest.mark.parametrize(("low", "high"), [(0, 65535), (0, 4095), (100, 900)])
def test_16_bit_pictures_are_scaled_by_their_own_range(tmp_path: Path, low: int, high: int) -> None:
    values = low + (high - low) * RAMP
    Image.fromarray(values.astype(np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(values.astype(np.uint16)).save(tmp_path / "a.tif")
    Image.fromarray(values.astype(np.int32)).save(tmp_path / "b.tif")
    Image.fromarray((values / 1000 - 0.3).astype(np.float32)).save(tmp_path / "c.tif")
    wanted = np.linspace(0, 255, 16)
    for name in ("a.png", "a.tif", "b.tif", "c.tif"):
        assert np.abs(pixels(tmp_path / name)[6, :, 0] - wanted).max() < 5
    raw = decode(tmp_path / "a.tif", height=48, width=64, colour=False).pixels
    assert np.array_equal(raw, values.astype(np.uint16))


def test_pixels_that_are_no_numbers_are_the_least_one(tmp_path: Path) -> None:
    values = RAMP.astype(np.float32).copy()
    values[:, 52:] = np.nan
    values[0, 0] = np.inf
    Image.fromarray(values).save(tmp_path / "a.tif")
    found = pixels(tmp_path / "a.tif")
    assert found.max() == 255
    assert found[6, -1, 0] < 2
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(tmp_path / "b.tif")
    with pytest.raises(nw.DataError, match="none of its pixels is a finite number"):
        pixels(tmp_path / "b.tif")


def test_the_first_frame_of_several_is_read(tmp_path: Path) -> None:
    frames = [Image.new("L", (8, 8), 200), Image.new("L", (8, 8), 10)]
    for name in ("a.gif", "a.tif", "a.webp", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert np.abs(pixels(tmp_path / name) - 200).max() < 3


def test_a_large_jpeg_is_unpacked_small_and_looks_the_same(tmp_path: Path) -> None:
    draw = np.random.default_rng(0).integers(0, 255, (15, 20, 3), dtype=np.uint8)
    whole = Image.fromarray(draw).resize((2000, 1500), Image.Resampling.BICUBIC)
    whole.save(tmp_path / "a.jpg", quality=95)
    wanted = np.asarray(whole.resize((32, 24), Image.Resampling.BILINEAR), dtype=int)
    found = read_image(tmp_path / "a.jpg", height=24, width=32, colour=True).astype(int)
    assert np.abs(found - wanted).mean() < 2


def test_damaged_metadata_leave_the_picture_as_it_is(tmp_path: Path) -> None:
    GREY.save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff junk")
    assert pixels(tmp_path / "a.jpg").shape == (12, 16, 3)
    with quiet():
        assert size_of(tmp_path / "a.jpg") == (48, 64)


def test_only_the_formats_of_the_list_are_opened(tmp_path: Path) -> None:
    assert "EPS" not in FORMATS
    for name in ("TGA", "PCX", "ICO", "SGI", "JPEG2000"):
        GREY.save(tmp_path / "a.png", name)
        with pytest.raises(nw.DataError, match="cannot identify image file"):
            pixels(tmp_path / "a.png")


def test_equal_deep_pixels_are_0() -> None:
    assert as_bytes(np.full((2, 2), 7.0), 7.0, 7.0, colour=True).max() == 0
