"""Writes: the whole new content or the old one, also where the disk refuses any step of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import netwise as nw
from netwise.atomic import (
    append_to_file,
    delete_drafts,
    delete_file,
    link_file,
    make_folder,
    make_new_folder,
    sync_folder,
    write_atomically,
    write_folder_atomically,
    write_new_file,
    write_scratch,
)
from torture.faults import failing_writes


@pytest.mark.parametrize("content", ["Gewichte: größer\n", b"\x00\xff", ""])
def test_the_file_holds_what_was_written(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    write_atomically(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert os.listdir(tmp_path) == ["file"]


def test_what_is_no_character_becomes_an_escape(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", os.fsdecode(b"name \xff"))
    assert (tmp_path / "file").read_text() == "name \\udcff"


def test_each_name_that_the_system_has_can_be_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("x" * 255), "text")
    assert (tmp_path / ("x" * 255)).read_text() == "text"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_a_device_or_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(
        nw.FileAccessError, match="pipe cannot be written: it is a device or a pipe"
    ):
        write_atomically(tmp_path / "pipe", "new")
    assert (tmp_path / "pipe").is_fifo()


def append(path: Path) -> None:
    append_to_file(path, "new\n", sync=True)


def write_files(path: Path) -> None:
    write_folder_atomically(path.with_name("folder"), {"a": b"1", "b": b"2"})


def write_new(path: Path) -> None:
    write_new_file(path.with_name("another"), "new")


WRITES = {
    "replace": (lambda path: write_atomically(path, "new"), {"file": "new"}),
    "append": (append, {"file": "old\nnew\n"}),
    "new": (write_new, {"file": "old\n", "another": "new"}),
    "folder": (write_files, {"file": "old\n", "folder/a": "1", "folder/b": "2"}),
}


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_whole_or_refused_whatever_step_of_it_fails(
    tmp_path: Path, name: str, code: int
) -> None:
    write, after = WRITES[name]

    def attempt(at: int) -> tuple[int, dict[str, str], nw.FileAccessError | None]:
        folder = tmp_path / str(at)
        folder.mkdir()
        (folder / "file").write_text("old\n")
        raised = None
        with failing_writes(folder, at, code, once=True) as faults:
            try:
                write(folder / "file")
            except nw.FileAccessError as error:
                raised = error
        return faults.count, contents(folder), raised

    count, found, raised = attempt(0)
    assert count >= 3
    assert (found, raised) == (after, None)
    for at in range(1, count + 1):
        _, found, raised = attempt(at)
        assert raised is not None, f"write {at} of {count}"
        assert os.strerror(code) in str(raised)
        assert str(tmp_path / str(at)) in str(raised)
        # The last step flushes the folder, after the change is made.
        is_last = at == count and name in ("replace", "folder")
        assert found == (after if is_last else {"file": "old\n"}), f"write {at} of {count}"


def test_rows_stay_complete_lines_where_the_disk_is_full_for_a_while(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    append_to_file(path, "first\n")
    with failing_writes(tmp_path, at=2), pytest.raises(nw.FileAccessError, match="No space"):
        append_to_file(path, "second, of which a part fits\n")
    append_to_file(path, "third\n")
    assert path.read_text() == "first\nthird\n"


def test_a_new_file_replaces_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(nw.FileAccessError, match="File exists. Use another name"):
        write_new_file(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"


def test_folders(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert not make_new_folder(tmp_path / "a")
    assert make_new_folder(tmp_path / "c")
    (tmp_path / "file").touch()
    calls: list[Callable[[Path], object]] = [make_folder, make_new_folder]
    for call in calls:
        with pytest.raises(nw.FileAccessError, match="Not a directory"):
            call(tmp_path / "file" / "inside")
    with pytest.raises(nw.FileAccessError, match="Is a directory|Operation not permitted"):
        delete_file(tmp_path / "a")


def test_a_link_is_a_second_name_or_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    assert link_file(tmp_path / "file", tmp_path / "again")
    assert (tmp_path / "again").read_text() == "text"
    assert not link_file(tmp_path / "file", tmp_path / "again")


def test_drafts_that_a_killed_process_left_are_deleted(tmp_path: Path) -> None:
    (tmp_path / ".draft-1").mkdir()
    (tmp_path / ".draft-1" / "file").touch()
    (tmp_path / "step-1").mkdir()
    delete_drafts(tmp_path)
    assert os.listdir(tmp_path) == ["step-1"]


def test_scratch_files_never_fail(tmp_path: Path) -> None:
    write_scratch(tmp_path / "file", "[1]")
    assert (tmp_path / "file").read_text() == "[1]"
    write_scratch(tmp_path / "absent" / "file", "[1]")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_the_file_can_be_read_by_others(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", "text")  # a temporary file alone has mode 600
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_a_folder_is_flushed_where_the_system_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "absent")
    # Windows cannot open a folder, so nothing is opened there.
    monkeypatch.setattr("netwise.atomic.os.name", "nt")
    sync_folder(tmp_path / "absent")
