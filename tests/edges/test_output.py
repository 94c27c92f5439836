"""The output of commands: a full disk, a closed pipe, names and terminals that are no UTF-8."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

FULL = Path("/dev/full")  # a device on which each write fails, as on a full disk
needs_full = pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")


def netwise(
    *words: str | bytes,
    folder: Path,
    redirection: str = "",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, with a redirection such as ">/dev/full"."""
    command = [
        "sh",
        "-c",
        f'exec "$@" {redirection}',
        "sh",
        sys.executable,
        "-m",
        "netwise",
        *words,
    ]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **(environment or {})},
    )


@needs_full
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["runs"], ["runs", "--json"]])
def test_output_that_cannot_be_written_is_told_on_stderr(words: list[str], tmp_path: Path) -> None:
    done = netwise(*words, redirection=">/dev/full", folder=tmp_path)
    assert done.returncode == 4
    assert done.stderr == (
        "the output or a file cannot be written: No space left on device. Free space on this disk, "
        "or use a folder on another one.\n"
    )


@needs_full
def test_an_error_keeps_its_exit_code_where_nobody_can_read_it(tmp_path: Path) -> None:
    assert netwise("show", "absent", redirection="2>/dev/full", folder=tmp_path).returncode == 2


def test_a_reader_that_has_read_enough_is_no_error(tmp_path: Path) -> None:
    done = netwise("--help", redirection="| head -n 1", folder=tmp_path)
    assert (done.stdout.split()[0], done.stderr) == ("Usage:", "")


def test_a_terminal_without_utf8_gets_escapes(tmp_path: Path) -> None:
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = netwise("lab", folder=tmp_path, environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
