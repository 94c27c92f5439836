"""Pictures that a network is to answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import netwise as nw
from netwise.data.image_files.new_pictures import is_of_pictures, picture_blocks


def test_a_folder_gives_its_pictures_in_their_order(tmp_path: Path) -> None:
    wanted = ["a.jpg", "b/c.PNG", "b/d.webp"]
    for name in (*wanted, ".hidden.png", "__MACOSX/x.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    blocks = list(picture_blocks(tmp_path, rows=2))
    assert [len(block) for block in blocks] == [2, 1]
    found = [path for block in blocks for path in block["file"]]
    assert found == [str(tmp_path / name) for name in wanted]
    assert is_of_pictures(tmp_path)


def test_one_picture_is_its_own_block(tmp_path: Path) -> None:
    (block,) = picture_blocks(tmp_path / "a.png")
    assert block["file"].to_list() == [str(tmp_path / "a.png")]
    assert is_of_pictures(tmp_path / "a.jfif")
    assert not is_of_pictures(tmp_path / "a.csv")


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(nw.DataError, match="holds no picture: name a folder with some"):
        list(picture_blocks(tmp_path))


@pytest.mark.filterwarnings("default")
def test_files_that_cannot_be_read_are_left_out_and_named_where_that_is_asked_for(
    tmp_path: Path,
) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="1 of 2 image files cannot be read and have no answer"):
        (block,) = picture_blocks(tmp_path, skip_broken=True)
    assert block["file"].to_list() == [str(tmp_path / "a.png")]
