"""Errors of the operating system: path, reason, what to do, and the class for callers."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest

import netwise as nw
from netwise.file_errors import file_access_error, file_errors, shown_path, work_can_continue


@pytest.mark.parametrize(
    ("path", "code", "instruction"),
    [
        ("absent", errno.ENOENT, "Check the path."),
        ("x" * 300, errno.ENAMETOOLONG, "Use a shorter name."),
        ("file/inside", errno.ENOTDIR, "A part of this path is a file and no folder"),
        (".", errno.EISDIR, "This is a folder: use the path of a file."),
        ("circle", errno.ELOOP, "use the path of the file itself"),
    ],
)
def test_an_error_of_the_system_has_path_reason_and_instruction(
    tmp_path: Path, path: str, code: int, instruction: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(nw.FileAccessError) as caught, file_errors(tmp_path / path):
        (tmp_path / path).read_bytes()
    error = caught.value
    assert str(tmp_path / path) in str(error)
    assert os.strerror(code) in str(error)
    assert instruction in str(error)
    assert (error.errno, error.strerror) == (code, os.strerror(code))
    assert isinstance(error, OSError)
    assert not error.during_work


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_a_path_that_no_system_has_is_such_an_error(path: str) -> None:
    refused = pytest.raises(nw.FileAccessError, match="cannot be written: .* Use another path")
    with refused, file_errors(path, "written"):
        Path(path).mkdir()


def test_other_errors_stay_as_they_are() -> None:
    with pytest.raises(ValueError, match="no number"), file_errors("a"):
        raise ValueError("no number")
    refused = nw.DataError("no table. Write one.")
    with pytest.raises(nw.DataError) as caught, file_errors("a"):
        raise refused
    assert caught.value is refused


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EDQUOT])
def test_a_failure_of_the_machine_is_one_during_work(code: int) -> None:
    assert file_access_error(OSError(code, os.strerror(code)), "a").during_work


def test_work_that_was_begun_says_how_to_continue() -> None:
    instruction = "then continue: netwise train --resume runs/a"
    with (
        pytest.raises(nw.FileAccessError) as caught,
        work_can_continue(instruction),
        work_can_continue("then continue: netwise train --resume runs/a/trials/0000/run"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/a/about.json")
    assert str(caught.value) == (
        "runs/a/about.json cannot be written: No space left on device. Free space on this disk, "
        "or use a folder on another one, then continue: netwise train --resume runs/a"
    )
    assert caught.value.during_work
    assert caught.value.errno == errno.ENOSPC


def test_the_error_survives_the_way_from_a_worker() -> None:
    error = file_access_error(OSError(errno.ENOSPC, "full", "a"), "b", "written")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert (again.errno, again.filename, again.during_work) == (errno.ENOSPC, "b", True)


def test_a_path_is_shown_without_control_characters() -> None:
    assert shown_path(os.fsdecode(b"a\xff\n\x1b[2J")) == r"a\udcff\n\x1b[2J"
    assert shown_path("größer/ü 1") == "größer/ü 1"
