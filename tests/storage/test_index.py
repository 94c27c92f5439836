"""The list of runs: rebuilt from the folders, and read without torch."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import netwise as nw
from netwise.history import history_as_dict
from netwise.storage.index import RunEntry, list_runs
from netwise.watching.run_files import RunFiles
from watching.watched_run import PROGRAM, history, write_watched_run


def write_run(
    home: Path, name: str, started: int, ended: str | None = "finished", score: float | None = None
) -> Path:
    """A run folder with the files that the list reads."""
    folder = home / name
    folder.mkdir(parents=True)
    recipe = folder / "recipe.toml"
    recipe.write_text('data = "iris"\n[network]\nkind = "MLP"\nwidths = [4, 3]\n')
    os.utime(recipe, (started, started))
    if ended is not None:
        plain = None
        if score is not None:
            plain = {"name": "accuracy", "value": score, "sentence": f"accuracy {100 * score} %"}
        write_about(folder, ended, plain)
    return folder


def write_about(folder: Path, how: str, score: dict[str, object] | None) -> None:
    plain = history_as_dict(nw.History.from_rows([], ended=nw.RunEnd(how, "Done.", 0)))
    (folder / "about.json").write_text(json.dumps({**plain, "score": score}))


def test_the_list_of_runs_is_rebuilt_from_the_folders(tmp_path: Path, small: nw.Recipe) -> None:
    nw.fit(small, folder=tmp_path / "one")
    nw.fit(small.but(seed=1), folder=tmp_path / "two")
    first = list_runs(tmp_path)
    assert sorted(Path(entry.folder).name for entry in first) == ["one", "two"]
    assert {entry.ended for entry in first} == {"finished"}
    assert first[0].score.startswith("accuracy")
    assert first[0].metric == "accuracy"
    assert f"{100 * (first[0].test_score or 0):.1f} %" in first[0].score
    (tmp_path / "index.sqlite").write_bytes(b"this is no database" * 100)
    assert list_runs(tmp_path) == first
    for file in (tmp_path / "one").rglob("*"):
        if file.is_file():
            file.unlink()
    assert [Path(entry.folder).name for entry in list_runs(tmp_path)] == ["two"]
    with sqlite3.connect(tmp_path / "index.sqlite") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
    assert list_runs(tmp_path / "nowhere") == []


def test_runs_are_ordered_by_their_start(tmp_path: Path) -> None:
    write_run(tmp_path, "b", 2000)
    write_run(tmp_path, "c", 1000)
    write_run(tmp_path, "a", 3000)
    assert [Path(entry.folder).name for entry in list_runs(tmp_path)] == ["c", "b", "a"]


def test_an_entry_is_read_again_when_the_run_has_ended(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a", 1000, ended=None)
    started = "1970-01-01T00:16:40+00:00"
    assert list_runs(tmp_path) == [RunEntry(str(folder), "iris", "MLP", "running", "", started)]
    score = {"name": "accuracy", "value": 0.9, "sentence": "accuracy 90.0 %"}
    write_about(folder, "stopped early", score)
    (entry,) = list_runs(tmp_path)
    assert (entry.ended, entry.metric, entry.test_score) == ("stopped early", "accuracy", 0.9)


def test_a_search_is_listed_with_its_winner(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "study", 1000, ended=None)
    (folder / "search.toml").write_text("")
    (entry,) = list_runs(tmp_path)
    assert entry.is_search
    assert entry.ended == "searching"
    test = {"name": "accuracy", "value": 0.75, "sentence": "accuracy 75.0 %"}
    (folder / "outcome.json").write_text(json.dumps({"test": test}))
    (entry,) = list_runs(tmp_path)
    assert (entry.ended, entry.score, entry.test_score) == ("searched", "accuracy 75.0 %", 0.75)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("recipe.toml", "= broken", "recipe.toml is damaged, because it is no TOML"),
        ("about.json", "{", "about.json is damaged, because it is no JSON"),
        ("about.json", "[" * 100_000, "it is nested too deeply"),
        ("about.json", "[]", "because the whole = a list of 0 must be an object with names"),
        ("about.json", '{"layers": []}', "because facts is missing"),
        ("search.toml", "", "outcome.json is damaged, because test.value = 'x' must be a number"),
    ],
)
def test_one_damaged_run_is_listed_with_its_reason_beside_the_others(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    write_run(tmp_path, "b", 2000)
    folder = write_run(tmp_path, "a", 1000)
    (folder / name).write_text(text)
    test = {"name": "accuracy", "value": "x", "sentence": "accuracy"}
    (folder / "outcome.json").write_text(json.dumps({"test": test}))
    for _ in range(2):
        damaged, other = sorted(list_runs(tmp_path), key=lambda entry: entry.folder)
        assert (damaged.ended, damaged.data, damaged.score) == ("damaged", "?", "")
        assert reason in damaged.reason
        assert (other.ended, other.reason) == ("finished", "")


def test_an_index_of_other_types_is_not_believed(tmp_path: Path) -> None:
    write_run(tmp_path, "a", 1000)
    first = list_runs(tmp_path)
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as database, database:
        database.execute("UPDATE entries SET ended = 5, score = NULL")
    assert list_runs(tmp_path) == first


def test_an_index_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "runs"
    write_run(home, "a", 1000)
    (tmp_path / "thesis").write_text("years of work")
    (home / "index.sqlite").symlink_to(tmp_path / "thesis")
    assert [entry.ended for entry in list_runs(home)] == ["finished"]
    assert (tmp_path / "thesis").read_text() == "years of work"


def test_a_watched_program_is_listed_with_its_module(tmp_path: Path) -> None:
    write_run(tmp_path, "a", 1000)
    folder = write_watched_run(tmp_path / "train")
    entry = list_runs(tmp_path)[-1]
    assert entry.folder == str(folder)
    assert (entry.data, entry.network, entry.ended) == ("program train.py", "Net", "finished")
    assert (entry.score, entry.metric, entry.test_score) == ("", "", None)
    assert list_runs(tmp_path)[-1] == entry  # from the index


def test_a_program_is_running_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    files = RunFiles(tmp_path / "train", PROGRAM)
    assert [entry.ended for entry in list_runs(tmp_path)] == ["running"]
    files.close(history(nw.RunEnd("running", "Still running.", 3)))  # what a killed one leaves
    assert [entry.ended for entry in list_runs(tmp_path)] == ["interrupted"]
