"""Atomic writes: the whole new content, or the old one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netwise.atomic import sync_folder, write_atomically


@pytest.mark.parametrize("content", ["Gewichte: größer\n", b"\x00\xff", ""])
def test_the_file_holds_what_was_written(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    write_atomically(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_content_and_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(*args: object) -> None:
        raise OSError("no space left on device")

    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


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
