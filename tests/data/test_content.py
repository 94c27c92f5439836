"""Keys of files change when a file does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netwise.data.content import files_key


def test_a_key_changes_with_content_time_and_presence(tmp_path: Path) -> None:
    path = tmp_path / "a"
    keys = [files_key([path])]
    path.write_text("1")
    keys.append(files_key([path]))
    path.write_text("12")
    keys.append(files_key([path]))
    os.utime(path, ns=(0, 5))
    keys.append(files_key([path]))
    assert len(set(keys)) == 4
    assert files_key([path]) == keys[-1]


def test_a_relative_path_has_the_key_of_its_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("1")
    monkeypatch.chdir(tmp_path)
    assert files_key([Path("a")]) == files_key([tmp_path / "a"])
