"""The run folder of an observed program: complete at the end, readable after a kill, and harmless
to the program where it cannot be written."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import netwise as nw
from netwise.history import RunEnd
from netwise.storage.creation import claim_folder
from netwise.storage.run_folder import RunFolder
from netwise.watching import run_files
from netwise.watching.run_files import RunFiles
from watching.watched_run import PROGRAM, ROWS, history, write_watched_run


def test_the_folder_holds_the_history(tmp_path: Path) -> None:
    folder = write_watched_run(tmp_path / "train")
    assert nw.load_history(folder) == history()
    assert RunFolder.open(folder).program() == PROGRAM
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock",
        "about.json",
        "history",
        "program.json",
    ]


def test_a_new_run_is_described_at_once(tmp_path: Path) -> None:
    files = RunFiles(tmp_path / "deep" / "train", PROGRAM)
    about = json.loads((files.path / "about.json").read_text())
    assert about["ended"] == {"how": "running", "sentence": "Still running.", "step": 0}
    assert nw.load_history(files.path).ended.how == "running"  # the lock is held
    files.close(history())


def test_a_folder_that_holds_something_is_never_overwritten(tmp_path: Path) -> None:
    folder = write_watched_run(tmp_path / "train")
    message = "exists already and holds something, and runs are never overwritten. Use another fold"
    with pytest.raises(nw.RunFolderError, match=message):
        RunFiles(folder, PROGRAM)
    assert nw.load_history(folder) == history()
    (tmp_path / "empty").mkdir()
    RunFiles(tmp_path / "empty", PROGRAM).close(history())


def test_two_writers_of_one_new_folder_do_not_mix(tmp_path: Path) -> None:
    with (
        claim_folder(tmp_path / "train", ""),
        pytest.raises(nw.RunFolderError, match="is being written by another process"),
    ):
        RunFiles(tmp_path / "train", PROGRAM)
    RunFiles(tmp_path / "train", PROGRAM).close(history())  # the first one wrote nothing


def test_rows_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    files = RunFiles(tmp_path / "train", PROGRAM)

    def written() -> int:
        return len(RunFolder(files.path).rows())

    for count in range(run_files.FLUSH_ROWS - 1):
        files.append([{"step": count}])
    assert written() == 0
    files.append([{"step": 49}])
    assert written() == run_files.FLUSH_ROWS
    files.append([{"step": 50}])
    assert written() == run_files.FLUSH_ROWS
    now[0] += run_files.FLUSH_SECONDS
    files.append([])
    assert written() == run_files.FLUSH_ROWS + 1
    files.append([{"step": 51}])
    files.flush()
    assert written() == run_files.FLUSH_ROWS + 2


def test_facts_are_due_soon_after_the_start_and_then_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    files = RunFiles(tmp_path / "train", PROGRAM)
    assert not files.about_is_due
    now[0] = run_files.FLUSH_SECONDS
    assert files.about_is_due
    files.write_about(history(RunEnd("running", "Still running.", 40)))
    assert RunFolder(files.path).about()["layers"][0]["name"] == "fc"
    now[0] += run_files.FLUSH_SECONDS
    assert not files.about_is_due
    now[0] += run_files.ABOUT_SECONDS
    assert files.about_is_due
    files.close(history())
    assert not files.about_is_due


def test_the_end_replaces_rows_that_the_observer_dropped(tmp_path: Path) -> None:
    files = RunFiles(tmp_path / "train", PROGRAM)
    files.append([{"step": step, "loss": 9.0} for step in range(100)])
    files.append([{"step": 100, "loss": 9.0}])  # in the buffer
    files.close(history())
    assert nw.load_history(files.path) == history()
    files.append([{"step": 101}])
    files.flush()
    files.write_about(nw.History({}))
    files.close(nw.History({}))
    assert nw.load_history(files.path) == history()


KILLED = """
import os, signal, sys
from netwise.watching import run_files
from watching.watched_run import PROGRAM, ROWS, history
from netwise.history import RunEnd
files = run_files.RunFiles(run_files.Path(sys.argv[1]), PROGRAM)
files.append(ROWS[:30])
files.flush()
files.write_about(history(RunEnd("running", "Still running.", 20)))
files.append(ROWS[30:])
if sys.argv[2] == "forks":
    if os.fork() == 0:
        files.append(ROWS)
        files.flush()
        files.close(history())
        os._exit(0)
    os.wait()
print("written", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("what", ["alone", "forks"])
def test_a_killed_program_leaves_a_readable_history(tmp_path: Path, what: str) -> None:
    paths = os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])
    program = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "train"), what],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert program.stdout is not None
    with program.stdout:
        assert program.stdout.readline() == "written\n"
    store = RunFolder.open(tmp_path / "train")
    assert store.history().ended.how == store.ended() == "running"
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    killed = store.history()
    assert killed.of("loss") == nw.History.from_rows(ROWS[:30]).of("loss")
    assert killed.layers == history().layers
    assert killed.ended == RunEnd(
        "interrupted", "The program was killed or crashed; 30 steps were recorded before.", 30
    )
    assert store.ended() == "interrupted"


@pytest.mark.parametrize("method", ["flush", "write_about", "close"])
def test_a_full_disk_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    files = RunFiles(tmp_path / "train", PROGRAM)
    files.append(ROWS)

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("append", "write_about", "replace_rows"):
        monkeypatch.setattr(RunFolder, name, full)
    calls = {
        "flush": files.flush,
        "write_about": lambda: files.write_about(history()),
        "close": lambda: files.close(history()),
    }
    message = r"cannot be written: No space left on device\. The program goes on .* Free space"
    with pytest.raises(nw.RunFolderError, match=message):
        calls[method]()
    for call in calls.values():
        call()
    files.append(ROWS * 10)
    assert RunFolder(files.path).ended() == "interrupted"  # the lock is free


def test_a_folder_that_cannot_be_made_is_an_error_of_netwise(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        nw.RunFolderError, match=r"cannot be written: Not a directory\. The program"
    ):
        RunFiles(tmp_path / "file" / "train", PROGRAM)
