"""Which pictures a folder has, in the ways in which people keep them. No file is opened: most of
them are empty here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

import netwise as nw
from netwise.data.image_files.listing import FIRST, LAST, NAME, Listing, list_folder, part_of


def make(root: Path, *names: str, content: bytes = b"") -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def classes(listing: Listing) -> dict[str, int]:
    return dict(Counter(picture.label for picture in listing.pictures))


def parts(listing: Listing) -> dict[tuple[str, str], int]:
    return dict(Counter((picture.part, picture.label) for picture in listing.pictures))


def left(listing: Listing) -> dict[str, int]:
    return {each.reason.split(" (")[0]: each.count for each in listing.left_out}


def test_pictures_of_any_depth_are_of_their_outermost_folder(tmp_path: Path) -> None:
    root = make(tmp_path, "cat/1.jpg", "cat/2019/2.PNG", "dog/poodle/white/3.jpeg", "dog/4.webp")
    listing = list_folder(root)
    assert classes(listing) == {"cat": 2, "dog": 2}
    assert 'classes_from = "last folder"' in listing.notes[0]
    assert classes(list_folder(root, LAST)) == {"cat": 1, "cat/2019": 1, "dog": 1} | {
        "dog/poodle/white": 1
    }


@pytest.mark.parametrize(
    "names",
    [
        ("train", "valid", "test"),
        ("Training", "Validation", "Testing"),
        ("training_set", "val", "test_set"),
        ("seg_train", "seg_dev", "seg_test"),
    ],
)
@pytest.mark.parametrize("order", ["part first", "class first"])
def test_folders_of_parts_are_the_parts(
    tmp_path: Path, names: tuple[str, str, str], order: str
) -> None:
    for part in names:
        for label in ("cat", "dog"):
            outer, inner = (part, label) if order == "part first" else (label, part)
            make(tmp_path, f"{outer}/{inner}/1.jpg", f"{outer}/{inner}/more/2.jpg")
    assert parts(list_folder(tmp_path)) == {
        (part, label): 2 for part in ("train", "valid", "test") for label in ("cat", "dog")
    }


def test_a_part_without_a_folder_is_split_off(tmp_path: Path) -> None:
    root = make(tmp_path, *(f"{part}/{c}/1.jpg" for part in ("train", "test") for c in "ab"))
    assert list_folder(root).notes[0].endswith("train, test. valid is split off train.")


def test_wrapping_folders_of_an_archive_are_seen_through(tmp_path: Path) -> None:
    root = make(tmp_path, "pets/pets/cat/1.jpg", "pets/pets/dog/2.jpg", "__MACOSX/pets/cat/._1.jpg")
    make(root, "cover.jpg")
    listing = list_folder(root)
    assert classes(listing) == {"cat": 1, "dog": 1}
    assert "lie in pets/pets" in listing.notes[0]
    assert left(listing) == {
        "hidden files or files of the system": 1,
        "pictures that lie in the folder of no class": 1,
    }
    twice = make(tmp_path / "x", "train/train/a/1.jpg", "train/train/b/2.jpg", "test/test/a/3.jpg")
    assert parts(list_folder(twice)) == {("train", "a"): 1, ("train", "b"): 1, ("test", "a"): 1}


def test_a_picture_beside_the_folders_of_classes_makes_no_class(tmp_path: Path) -> None:
    root = make(tmp_path, "My Pictures/cover.png", "My Pictures/cat/1.jpg", "My Pictures/dog/2.jpg")
    listing = list_folder(root)
    assert classes(listing) == {"cat": 1, "dog": 1}
    assert sum(left(listing).values()) == 1
    assert set(classes(list_folder(root, LAST))) == {
        "My Pictures", "My Pictures/cat", "My Pictures/dog",
    }  # fmt: skip


def test_a_class_may_have_the_name_of_a_part(tmp_path: Path) -> None:
    root = make(tmp_path, "train/1.jpg", "car/2.jpg", "plane/3.jpg", "train/steam/4.jpg")
    assert classes(list_folder(root)) == {"train": 2, "car": 1, "plane": 1}
    both = make(tmp_path / "x", "train/1.jpg", "test/2.jpg")  # two classes, for all one knows
    assert classes(list_folder(both)) == {"train": 1, "test": 1}


def test_what_has_no_class_is_left_out_and_counted(tmp_path: Path) -> None:
    root = make(tmp_path, "train/a/1.jpg", "train/b/2.jpg", "test/3.jpg", "test/4.jpg")
    make(root, "train/a/notes.txt", "train/.DS_Store", "train/Thumbs.db", "train/a/._1.jpg")
    make(root, "extra/5.jpg", "valid/a/6.jpg", "train/b/scan.heic", ".ipynb_checkpoints/7.jpg")
    (root / "train" / "later").mkdir()
    listing = list_folder(root)
    assert parts(listing) == {("train", "a"): 1, ("train", "b"): 1, ("valid", "a"): 1}
    assert left(listing) == {
        "pictures that lie in the folder of no class": 2,
        "files that are no pictures": 1,
        "hidden files or files of the system": 4,
        "pictures beside the folders of the parts": 1,
        "pictures of a format that is not read": 1,
        "empty folders": 1,
    }
    texts = [str(each) for each in listing.left_out]
    assert any("train/a/notes.txt" in text for text in texts)
    assert any("scan.heic" in text and "save it as PNG" in text for text in texts)


def test_a_class_of_which_nothing_can_be_read_is_an_error(tmp_path: Path) -> None:
    root = make(tmp_path, "a/1.jpg", "b/2.jpg", "phone/3.HEIC", "phone/4.heic")
    with pytest.raises(nw.DataError, match="'phone' are of a format that is not read.*/phone/"):
        list_folder(root)


def test_files_without_a_known_ending_are_recognised_by_their_first_bytes(tmp_path: Path) -> None:
    root = make(tmp_path, "a/1.jpg", "b/2.jpg")
    make(root, "a/3", "a/4.jpg_large", "b/5.php", content=b"\xff\xd8\xff\xe0" + bytes(20))
    make(root, "b/6.bin", "b/README", content=b"some text")
    make(root, "a/7.json", content=b"\xff\xd8\xff\xe0")  # of a known kind: not opened
    assert classes(list_folder(root)) == {"a": 3, "b": 2}


def test_classes_in_file_names_are_offered_and_read(tmp_path: Path) -> None:
    root = make(tmp_path, *(f"{name}.{i}.jpg" for name in ("cat", "dog") for i in range(3)))
    with pytest.raises(nw.DataError, match=r'cat \(3\), dog \(3\).*classes_from = "file name"'):
        list_folder(root)
    assert classes(list_folder(root, NAME)) == {"cat": 3, "dog": 3}
    camera = make(tmp_path / "x", "IMG_1.jpg", "IMG_2.jpg", "DSC1.jpg")
    with pytest.raises(nw.DataError) as caught:
        list_folder(camera)
    assert "file name" not in str(caught.value)


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    make(tmp_path, "elsewhere/1.jpg", "photos/b/2.jpg")
    (tmp_path / "photos" / "a").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "b" / "again").symlink_to(tmp_path / "photos")
    assert classes(list_folder(tmp_path / "photos")) == {"a": 1, "b": 1}


def test_what_is_too_little_is_said_with_what_was_found(tmp_path: Path) -> None:
    make(tmp_path, "one/cat/1.jpg", "none/a/x.txt", "flat/1.jpg")
    for name, message in (
        ("one", "the single class 'cat', and classification needs two"),
        ("none", r"no image files: add some .* Left out: 1 file that is no picture: a/x\.txt"),
        ("flat", "no folders of classes, .* make one folder for each class"),
        ("absent", "is no folder .*: name the folder that has one"),
    ):
        with pytest.raises(nw.DataError, match=message):
            list_folder(tmp_path / name)


@pytest.mark.parametrize("name", ["cats", "trains", "train station test", "contest", "evaluate me"])
def test_words_that_only_look_like_parts(name: str) -> None:
    assert part_of(name) == ""


NAMES = st.sampled_from(["a", "b", "train", "Test", "val", "x y", ".h", "__MACOSX", "é"])


@settings(max_examples=40)
@given(paths=st.sets(st.lists(NAMES, max_size=4).map(tuple), max_size=12), way=st.data())
def test_each_picture_is_used_or_left_out(
    tmp_path_factory: pytest.TempPathFactory, paths: set[tuple[str, ...]], way: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("photos")
    make(root, *("/".join((*path, "picture.jpg")) for path in paths))
    hidden = {path for path in paths if {".h", "__MACOSX"} & set(path)}
    try:
        listing = list_folder(root, way.draw(st.sampled_from([FIRST, LAST, NAME])))
    except nw.DataError:
        return
    unseen = sum(each.count for each in listing.left_out if "system" not in each.reason)
    assert len(listing.pictures) + unseen == len(paths - hidden)
    assert len({picture.path for picture in listing.pictures}) == len(listing.pictures)
