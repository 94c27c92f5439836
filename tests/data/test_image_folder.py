"""A folder of images, a folder for each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import netwise as nw


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
    assert grey.shape == (1, 32, 32)
    before = grey.fingerprint
    Image.new("RGB", (9, 9), (1, 2, 3)).save(folder / "red" / "0.png")
    assert nw.data.images(folder, colour="grey").read().fingerprint != before


def test_what_is_no_folder_of_classes_is_refused_with_what_to_do(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(nw.DataError, match="is no folder .*: name the folder that has one"):
        nw.data.images(tmp_path / "absent").read()
    with pytest.raises(nw.DataError, match="has 0 folders inside, .* make one for each class"):
        nw.data.images(folder / "red").read()
    (folder / "broken").mkdir()
    with pytest.raises(nw.DataError, match="has no image files: add some"):
        nw.data.images(folder).read()
    (folder / "broken" / "a.png").write_bytes(b"no image")
    with pytest.raises(
        nw.DataError, match=r"a\.png cannot be read as an image: .* Remove or replace it"
    ):
        nw.data.images(folder).read()
