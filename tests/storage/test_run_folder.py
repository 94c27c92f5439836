"""The folder of one run: every file whole or absent, none of them code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import netwise as nw
from netwise.history import history_as_dict
from netwise.storage.checkpoints import Checkpoint
from netwise.storage.row_log import written_rows
from netwise.storage.run_folder import RunFolder, load_history, program_title
from netwise.storage.seals import RowsSeal
from watching.watched_run import PROGRAM, write_watched_run

STARTED = {
    **history_as_dict(nw.History({}, ended=nw.RunEnd("running", "No step is done yet.", 0))),
    "score": None,
}


@pytest.fixture
def folder(tmp_path: Path, small: nw.Recipe) -> RunFolder:
    store, held = RunFolder.create(tmp_path / "run", small, STARTED)
    held.release()
    return store


def test_a_folder_that_holds_something_is_never_overwritten(
    tmp_path: Path, small: nw.Recipe
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("years of work")
    message = (
        f"{tmp_path / 'a'} exists already and holds something, and runs are never overwritten. "
        f"Use another folder, or resume the run: netwise train --resume {tmp_path / 'a'}"
    )
    with pytest.raises(nw.RunFolderError, match=re.escape(message)):
        nw.fit(small, folder=tmp_path / "a")
    assert (tmp_path / "a" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "file").write_text("x")
    with pytest.raises(nw.RunFolderError, match="exists already"):
        RunFolder.create(tmp_path / "file", small, STARTED)


def test_a_folder_without_a_recipe_and_a_search_are_no_runs(tmp_path: Path) -> None:
    message = r"it has no recipe\.toml and no program\.json\. List the runs: netwise"
    with pytest.raises(nw.RunFolderError, match=message):
        RunFolder.open(tmp_path)
    (tmp_path / "search.toml").write_text("")
    with pytest.raises(
        nw.RunFolderError, match=r"is a search, whose trials are runs\. Use the run"
    ):
        RunFolder.open(tmp_path)


def test_rows_come_back_without_an_incomplete_last_line(folder: RunFolder) -> None:
    folder.append([{"step": 0, "loss": 0.5}, {"step": 1, "loss": float("nan")}])
    with open(folder.path / "history" / "rows.jsonl", "a") as file:
        file.write('{"step": 2, "lo')
    assert repr(folder.rows()) == "[{'step': 0, 'loss': 0.5}, {'step': 1, 'loss': nan}]"
    log = folder.return_to(Checkpoint({}, {"rows": 1, "step": 1}))
    assert folder.rows() == [{"step": 0, "loss": 0.5}]
    log.append([{"step": 1, "loss": 0.25}])
    assert folder.rows() == [{"step": 0, "loss": 0.5}, {"step": 1, "loss": 0.25}]
    assert RowsSeal.of(written_rows(log.path)) == log.seal


def test_a_damaged_line_in_the_middle_is_reported(folder: RunFolder) -> None:
    (folder.path / "history" / "rows.jsonl").write_text('{"step": 0}\n{"st\n{"step": 2}\n')
    with pytest.raises(nw.RunFolderError, match=r"rows\.jsonl is damaged, because line 2 is no"):
        folder.rows()


def test_a_run_of_an_earlier_version_that_never_started_says_so(folder: RunFolder) -> None:
    (folder.path / "about.json").unlink()
    message = r"has no about\.json, because the run ended before its first step\. Start it: netwise"
    with pytest.raises(nw.RunFolderError, match=message):
        folder.about()
    folder.append([{"step": 0}])
    with pytest.raises(nw.RunFolderError, match="because the file is missing"):
        folder.about()


def test_only_one_holder_writes_a_run(folder: RunFolder) -> None:
    with (
        folder.locked(),
        pytest.raises(nw.RunFolderError, match="is being trained by another process"),
        RunFolder(folder.path).locked(),
    ):
        pass
    with folder.locked():
        pass


def test_the_recipe_comes_back_as_a_part_and_as_plain_values(
    folder: RunFolder, small: nw.Recipe
) -> None:
    assert folder.recipe() == small
    assert folder.plain_recipe()["network"]["widths"] == [4, 8, 3]
    (folder.path / "recipe.toml").write_text("= broken")
    with pytest.raises(nw.RunFolderError, match=r"recipe\.toml is damaged, because it is no TOML"):
        folder.plain_recipe()


def test_nothing_in_a_folder_is_code(tmp_path: Path, small: nw.Recipe) -> None:
    nw.fit(small, folder=tmp_path / "run")
    kinds = {path.suffix for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert kinds <= {".toml", ".json", ".jsonl", ".safetensors", ""}
    for path in (tmp_path / "run").rglob("*.safetensors"):
        assert path.read_bytes()[8:9] == b"{"  # a header of text, then numbers


@pytest.mark.parametrize("name", ["recipe.toml", "about.json", "weights.safetensors"])
def test_a_damaged_run_is_not_loaded(tmp_path: Path, small: nw.Recipe, name: str) -> None:
    nw.fit(small, folder=tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(b"\x80\x04garbage")
    with pytest.raises(nw.NetwiseError):
        nw.load(tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    with pytest.raises(nw.NetwiseError):
        nw.load(tmp_path / "run")


def test_a_history_is_read_without_torch_and_numpy(tmp_path: Path, small: nw.Recipe) -> None:
    run = nw.fit(small, folder=tmp_path / "run")
    assert load_history(tmp_path / "run").series == run.history.series
    code = (
        "import sys; from netwise.storage.run_folder import load_history\n"
        f"print(len(load_history({str(tmp_path / 'run')!r}).series))\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == f"{len(run.history.series)}\n", done.stderr


def test_a_watched_program_has_no_recipe_checkpoints_and_weights(tmp_path: Path) -> None:
    store = RunFolder.open(write_watched_run(tmp_path / "train"))
    assert store.is_program
    assert store.plain_recipe() == {}
    assert program_title(store.program()) == "program train.py"
    for missing, call in {
        "recipe": store.recipe,
        "weights": store.weights,
        "checkpoints": store.latest_checkpoint,
    }.items():
        message = (
            f"{store.path} is a run of the program train.py, which has no {missing}: netwise "
            "observed the program and did not train itself. Use a run of netwise train here; "
            f"print the diagnosis of this one: netwise show {store.path}"
        )
        with pytest.raises(nw.RunFolderError, match=re.escape(message)):
            call()
    with pytest.raises(nw.RunFolderError, match="has no recipe"):
        nw.load(store.path)
    with pytest.raises(nw.RunFolderError, match="has no recipe"):
        nw.resume(store.path)


def test_weights_of_a_watched_program_are_no_origin(tmp_path: Path, small: nw.Recipe) -> None:
    folder = write_watched_run(tmp_path / "train")
    with pytest.raises(nw.RunFolderError, match="has no weights: netwise observed the program"):
        nw.fit(small.but(init=nw.From(str(folder))))


def test_a_damaged_program_file_is_no_obstacle_to_the_history(tmp_path: Path) -> None:
    store = RunFolder.open(write_watched_run(tmp_path / "train"))
    for text in ("{", "3", "[]", '{"name": 3}'):
        (store.path / "program.json").write_text(text)
        with pytest.raises(nw.RunFolderError, match=r"program\.json is damaged, because"):
            store.program()
        assert len(store.history().of("loss")) == 40
    (store.path / "about.json").write_text("{")
    with pytest.raises(nw.RunFolderError, match=r"delete the run folder and run the program again"):
        store.history()
    (store.path / "about.json").unlink()
    with pytest.raises(nw.RunFolderError, match=r"delete the run folder and run the program again"):
        store.history()


def test_the_end_of_a_run_can_be_changed_alone(tmp_path: Path) -> None:
    store = RunFolder.open(write_watched_run(tmp_path / "train"))
    before, ended = store.history(), nw.RunEnd("interrupted", "train.py ended with KeyError.", 40)
    store.write_end(ended)
    assert store.history() == before.but(ended=ended)


def test_a_watched_program_is_read_without_torch_and_numpy(tmp_path: Path) -> None:
    folder = write_watched_run(tmp_path / "train")
    code = (
        "import sys; from netwise.storage.index import list_runs\n"
        "from netwise.storage.run_folder import RunFolder\n"
        f"print(len(RunFolder.open({str(folder)!r}).history().of('loss')))\n"
        f"print(list_runs({str(tmp_path)!r})[0].data)\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "40\nprogram train.py\n", done.stderr


def test_the_folder_of_a_program_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("years of work")
    with pytest.raises(nw.RunFolderError, match=r"Use another folder, or delete this one"):
        RunFolder.create_for_program(tmp_path / "a", PROGRAM)
