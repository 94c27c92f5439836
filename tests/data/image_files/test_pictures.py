"""A folder of images, a folder for each class."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from PIL import Image

import netwise as nw
from netwise.data.image_files.decoding import read_image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for name, colour in (("red", (200, 30, 30)), ("green", (30, 200, 30)), ("blue", (30, 30, 200))):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(12):
            pixels = np.clip(np.array(colour) + draw.integers(-25, 25, (20, 24, 3)), 0, 255).astype(
                np.uint8
            )
            Image.fromarray(pixels).save(
                tmp_path / "photos" / name / f"{i}.{('png', 'jpg', 'bmp')[i % 3]}"
            )
    (tmp_path / "photos" / "red" / "notes.txt").write_text("not an image")
    return tmp_path / "photos"


def test_pictures_are_loaded_resized_and_learned_from(folder: Path) -> None:
    data = nw.data.images(folder, height=8, width=10)
    samples = data.load()
    assert samples.classes == ("blue", "green", "red")
    assert samples.shape == (3, 8, 10)
    assert len(samples.train) + len(samples.valid) + len(samples.test) == 36
    assert 0 <= float(samples.train.x.min()) <= float(samples.train.x.max()) <= 1
    red = samples.train.x[samples.train.y == 2].mean((0, 2, 3))
    assert red.argmax() == 0
    run = nw.fit(
        nw.Recipe(
            data=data,
            network=nw.ConvNet(image=(3, 8, 10), classes=3, channels=(4,)),
            optimizer=nw.Adam(lr=0.02),
            epochs=10,
            batch_size=8,
        )
    )
    assert run.score is not None
    assert run.score.value == 1.0


def test_grey_pictures_have_one_channel_and_a_change_changes_the_fingerprint(folder: Path) -> None:
    grey = nw.data.images(folder, colour="grey").read()
    assert grey.shape == (1, 20, 24)  # all pictures are of this size
    before = grey.fingerprint
    Image.new("RGB", (9, 9), (1, 2, 3)).save(folder / "red" / "0.png")
    assert nw.data.images(folder, colour="grey").read().fingerprint != before


def test_what_is_no_folder_of_classes_is_refused_with_what_to_do(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(nw.DataError, match="is no folder .*: name the folder that has one"):
        nw.data.images(tmp_path / "absent").read()
    with pytest.raises(nw.DataError, match="no folders of classes, .* make one folder for each"):
        nw.data.images(folder / "red").read()
    (folder / "broken").mkdir()
    with pytest.raises(nw.DataError, match="has no image files: add some"):
        nw.data.images(folder / "broken").read()
    (folder / "broken" / "a.png").write_bytes(b"no image")
    with pytest.raises(
        nw.DataError, match=r"a\.png cannot be read as an image: .* Remove or replace it"
    ):
        nw.data.images(folder).read()


def png(width: int, height: int) -> bytes:
    """A grey PNG file of zeros."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        size, check = struct.pack(">I", len(content)), zlib.crc32(kind + content)
        return size + kind + content + struct.pack(">I", check)

    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 1) * height), 9)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def broken_files(folder: Path) -> dict[str, str]:
    """Image files that cannot be read, and a part of the reason for each."""
    whole = (folder / "red" / "0.png").read_bytes()
    contents = {
        "empty.png": (b"", "cannot identify image file"),
        "text.jpg": (b"no image", "cannot identify image file"),
        "cut.png": (whole[: len(whole) // 2], "truncated"),
        "flipped.png": (whole[:60] + bytes(20) + whole[80:], ""),
        "script.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "cannot identify"),
        "large.png": (png(9_500, 9_000), "it has 9,500 x 9,000 pixels"),
        "huge.png": (png(20_000, 9_000), "180000000 pixels"),
        "sizes.pgm": (b"P5 999999999 999999999 255 x", ""),
    }
    for name, (content, _) in contents.items():
        (folder / "red" / name).write_bytes(content)
    os.mkfifo(folder / "red" / "pipe.png")
    (folder / "red" / "zero.png").symlink_to("/dev/zero")
    (folder / "red" / "gone.png").symlink_to("nowhere")
    return {name: reason for name, (_, reason) in contents.items()} | {
        "pipe.png": "is a named pipe",
        "zero.png": "is a device",
        "gone.png": "No such file",
    }


def test_each_kind_of_broken_file_is_named_with_its_reason(folder: Path) -> None:
    for name, reason in broken_files(folder).items():
        with pytest.raises(nw.DataError) as caught:
            read_image(folder / "red" / name, height=8, width=8, colour=True)
        assert str(caught.value).startswith(f"{folder}/red/{name} cannot be read as an image: ")
        assert reason in str(caught.value)
        assert len(str(caught.value)) < 600


def test_the_pixels_of_a_huge_image_are_counted_before_they_are_unpacked(folder: Path) -> None:
    broken_files(folder)
    assert (folder / "red" / "large.png").stat().st_size < 100_000  # 85 MB unpacked
    tracemalloc.start()
    try:
        with pytest.raises(nw.DataError, match="9,500 x 9,000 pixels"):
            read_image(folder / "red" / "large.png", height=8, width=8, colour=True)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_broken_files_are_left_out_only_when_asked_and_are_counted(folder: Path) -> None:
    before = nw.data.images(folder, height=8, width=8).read()
    count = len(broken_files(folder))
    with pytest.raises(nw.DataError, match=r"red/cut\.png cannot be read .* --skip-broken"):
        nw.data.images(folder, height=8, width=8).read()
    data = nw.data.images(folder, height=8, width=8, skip_broken=True)
    with pytest.warns(UserWarning, match=rf"{count} of {36 + count} image files cannot be read"):
        after = data.read()
    assert after.fingerprint == before.fingerprint
    assert torch.equal(after.train.x, before.train.x)
    for file in (folder / "blue").iterdir():
        file.write_bytes(b"")
    with pytest.raises(nw.DataError, match="blue: none of its 12 image files can be read"):
        data.read()


def test_an_unused_skip_broken_is_not_written(folder: Path) -> None:
    recipe = nw.suggest(nw.data.images(folder, height=8, width=8))
    assert "skip_broken =" not in nw.recipe_text(recipe)
    asked = recipe.but(data=recipe.data.but(skip_broken=True))
    assert "skip_broken = true" in nw.recipe_text(asked)
    path = folder.parent / "recipe.toml"
    nw.write_recipe(asked, path)
    assert nw.read_recipe(path) == asked


@given(place=st.floats(0, 1), flips=st.binary(min_size=1, max_size=40), kind=st.integers(0, 2))
def test_a_damaged_image_is_read_or_refused_by_name(place: float, flips: bytes, kind: int) -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / f"a.{('png', 'jpg', 'bmp')[kind]}"
        Image.new("RGB", (20, 30), (9, 99, 199)).save(path)
        raw = bytearray(path.read_bytes())
        start = int(place * (len(raw) - 1))
        raw[start : start + len(flips)] = flips
        path.write_bytes(raw)
        try:
            pixels = read_image(path, height=4, width=5, colour=True)
        except nw.DataError as error:
            assert str(path) in str(error)
        else:
            assert pixels.shape == (4, 5, 3)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_named(folder: Path) -> None:
    (folder / "red").chmod(0)
    try:
        with pytest.raises(nw.DataError, match="red cannot be listed: .* chmod"):
            nw.data.images(folder).read()
    finally:
        (folder / "red").chmod(0o755)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Cats", "cats", "dogs"), "'Cats', 'cats' differ only in how they are written"),
        (("sea gull", "sea_gull"), "'sea gull', 'sea_gull' differ only"),
        (("cats", "unlabeled"), "'unlabeled' is a class like the others"),
        (("images", "masks"), "'masks' has a file for each of 'images', as masks"),
        (("cats", "dogs"), ""),
        (("labels", "tags", "stamps"), ""),
    ],
)
def test_folders_that_are_hardly_classes_are_said(
    tmp_path: Path, names: tuple[str, ...], said: str
) -> None:
    for number, name in enumerate(names):
        (tmp_path / name).mkdir()
        for i in range(4):
            own = i + (10 * number if name in ("tags", "stamps") else 0)
            Image.new("RGB", (8, 8), (9 * i, 60 * number, 9)).save(tmp_path / name / f"{own}.png")
    notes = " ".join(nw.data.images(tmp_path, height=8, width=8).load().notes)
    assert said in notes
    assert said or not any(word in notes for word in ("differ", "like the others", "as masks"))
