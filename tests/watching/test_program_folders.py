"""One run folder for each trained module of a program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import netwise as nw
from netwise.storage.run_folder import RunFolder
from netwise.watching import run_files
from netwise.watching.program_folders import ProgramFolders
from netwise.watching.run_files import RunFiles
from watching.watched_run import ROWS, history


def never() -> nw.History:
    pytest.fail("the history was made although it was not due")


def test_each_module_has_a_folder_with_its_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs" / "train-net-2").mkdir(parents=True)  # of an earlier program
    monkeypatch.chdir(tmp_path)
    folders = ProgramFolders(Path("runs/train"))
    monkeypatch.chdir("/")  # as a program may
    folders.write("Generator", ROWS[:3], never)
    folders.write("a/b.Net-2", ROWS[:3], never)
    folders.write("Generator", ROWS[3:], never)
    assert folders.folders == {
        "Generator": tmp_path / "runs" / "train",
        "a/b.Net-2": tmp_path / "runs" / "train-a-b-net-2",
    }
    folders.write("Net-2", ROWS[:3], never)
    assert folders.folders["Net-2"] == tmp_path / "runs" / "train-net-2-2"
    short = nw.History.from_rows(ROWS[:3], ended=nw.RunEnd("finished", "Done.", 3))
    folders.close({"Generator": history(), "a/b.Net-2": short, "Net-2": short, "late": short})
    assert nw.load_history(tmp_path / "runs" / "train") == history()
    for name in ("a/b.Net-2", "Net-2", "late"):
        assert nw.load_history(folders.folders[name]) == short
        assert RunFolder.open(folders.folders[name]).program()["model"] == name


def test_facts_are_written_when_they_are_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = ProgramFolders(tmp_path / "train")
    folders.write("Net", ROWS[:1], never)
    monkeypatch.setattr(run_files, "FLUSH_SECONDS", 0.0)
    folders.write("Net", ROWS[1:2], history)
    store = RunFolder(tmp_path / "train")
    assert store.rows() == ROWS[:2]
    assert store.about()["layers"][0]["name"] == "fc"
    folders.write("Net", ROWS[2:3], never)
    folders.close({"Net": history()})


def test_a_folder_that_holds_something_is_refused_before_training(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for path in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(nw.RunFolderError, match="exists already and holds something"):
            ProgramFolders(path)


def test_one_folder_that_fails_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = ProgramFolders(tmp_path / "train")
    folders.write("A", ROWS, never)
    folders.write("B", ROWS, never)
    close = RunFiles.close

    def failing(files: RunFiles, result: nw.History) -> None:
        if files.path.name == "train":
            raise nw.RunFolderError("disk full")
        close(files, result)

    monkeypatch.setattr(RunFiles, "close", failing)
    with pytest.raises(nw.RunFolderError, match="disk full"):
        folders.close({"A": history(), "B": history()})
    assert nw.load_history(tmp_path / "train-b") == history()


def test_nothing_is_written_before_the_first_row(tmp_path: Path) -> None:
    folders = ProgramFolders(tmp_path / "train")
    folders.close({})
    assert list(tmp_path.iterdir()) == []


def test_a_forked_process_writes_nothing(tmp_path: Path) -> None:
    folders = ProgramFolders(tmp_path / "train")
    if os.fork() == 0:
        try:
            folders.write("Net", ROWS, never)
            folders.close({"Net": history()})
        finally:
            os._exit(0)
    os.wait()
    assert list(tmp_path.iterdir()) == []
