"""Only regular files of bounded size are read, and those of a folder lie in it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from netwise.errors import FileRefused, NetwiseError
from netwise.regular_files import open_regular, read_regular, require_contained, require_inside

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links, pipes and devices of Unix")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file and a subfolder, beside a file of someone else."""
    (tmp_path / "secret").write_text("of someone else")
    (tmp_path / "elsewhere").mkdir()
    home = tmp_path / "run"
    (home / "history").mkdir(parents=True)
    (home / "file").write_bytes(b"content")
    return home


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))  # the path of a socket is at most 107 bytes long


INTRUDERS: dict[str, Callable[[Path], None]] = {
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": _socket,
    "a link to a device": _link("/dev/zero"),
    "a link to a file outside": _link("../../secret"),
    "a link to a folder outside": _link("../../elsewhere"),
    "a link to nothing outside": _link("../../nothing"),
    "a link to the root": _link("/"),
    "a link to a link that leaves": _link("../leaves"),
    "a link to itself": _link("intruder"),
}


@pytest.mark.parametrize("name", INTRUDERS)
def test_a_folder_with_anything_that_leads_out_of_it_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(folder)
    require_contained(folder)
    if name == "a link to a link that leaves":
        (folder / "leaves").symlink_to("../secret")
    INTRUDERS[name](folder / "history" / "intruder")
    with pytest.raises(FileRefused, match="intruder|leaves"):
        require_contained(folder)


def test_links_that_stay_inside_and_a_folder_that_is_a_link_are_allowed(folder: Path) -> None:
    (folder / "history" / "link").symlink_to("../file")
    (folder / "again").symlink_to("history")
    (folder / "nothing").symlink_to("absent")
    outside = folder.parent / "link"
    outside.symlink_to(folder)
    require_contained(outside)
    assert read_regular(outside / "history" / "link", 7, inside=outside) == b"content"


def test_a_folder_that_cannot_be_listed_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("history"):
            raise PermissionError(13, "Permission denied", path)
        return listing(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FileRefused, match="history cannot be listed: Permission denied"):
        require_contained(folder)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/null"])
def test_devices_are_not_opened(device: str) -> None:
    with pytest.raises(FileRefused, match=f"{device} is a device"):
        open_regular(Path(device))


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileRefused, match="is a named pipe"):
        read_regular(tmp_path / "pipe", 10)


def test_a_file_of_exactly_the_largest_size_is_read_and_one_byte_more_is_refused(
    folder: Path,
) -> None:
    assert read_regular(folder / "file", 7) == b"content"
    with pytest.raises(FileRefused, match="has 7 bytes, and such a file has at most 6"):
        read_regular(folder / "file", 6)


def test_a_file_that_grows_after_its_size_was_asked_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = os.fstat

    def grown(handle: int) -> os.stat_result:
        before = found(handle)
        with open(folder / "file", "ab") as file:
            file.write(b"more")
        return before

    monkeypatch.setattr(os, "fstat", grown)
    with pytest.raises(FileRefused, match="has 8 bytes"):
        read_regular(folder / "file", 7)


def test_a_named_file_may_be_a_link_and_one_of_a_folder_may_not_leave_it(folder: Path) -> None:
    (folder / "link").symlink_to("../secret")
    assert read_regular(folder / "link", 100) == b"of someone else"
    with pytest.raises(FileRefused, match="leads out of its folder"):
        read_regular(folder / "link", 100, inside=folder)
    with pytest.raises(FileRefused):
        require_inside(folder / ".." / "secret", folder)


def test_an_absent_file_is_absent_and_a_folder_is_a_folder(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(folder / "absent", 1, inside=folder)
    with pytest.raises(IsADirectoryError):
        read_regular(folder / "history", 1, inside=folder)


def test_the_error_is_one_of_netwise_and_one_of_files() -> None:
    with pytest.raises(FileRefused) as caught:
        open_regular(Path("/dev/zero"))
    assert isinstance(caught.value, NetwiseError)
    assert isinstance(caught.value, OSError)
    assert caught.value.strerror == "is a device, and netwise reads regular files only"
