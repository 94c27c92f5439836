"""Words for runs: a path, a name, `@last`, `@best`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

import netwise as nw
from cli.command_line import run, train
from netwise.cli.run_names import find_run, find_search
from netwise.history import history_as_dict
from watching.watched_run import write_watched_run

pytestmark = pytest.mark.usefixtures("empty_reports")


def write_run(name: str, started: int, score: tuple[str, float] | None = None) -> Path:
    """A run folder with the files that name it."""
    folder = Path("runs") / name
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text('data = "iris"\nnetwork = {kind = "MLP", widths = [4, 3]}')
    os.utime(folder / "recipe.toml", (started, started))
    plain = None
    if score is not None:
        plain = {"name": score[0], "value": score[1], "sentence": f"{score[0]} {score[1]}"}
    history = history_as_dict(nw.History({}, ended=nw.RunEnd("finished", "All done.", 1)))
    (folder / "about.json").write_text(json.dumps({**history, "score": plain}))
    return folder


def write_search(name: str, started: int) -> Path:
    folder = write_run(name, started)
    (folder / "search.toml").write_text("")
    return folder


HOME = Path("runs")


def test_a_run_is_found_by_path_and_by_name() -> None:
    folder = write_run("a", 1000)
    assert find_run("a", HOME) == folder
    assert find_run(str(folder.resolve()), Path("elsewhere")) == folder.resolve()


def test_last_is_the_newest_run_and_best_has_the_highest_score() -> None:
    write_run("good", 2000, ("accuracy", 0.9))
    write_run("old", 1000, ("accuracy", 0.5))
    write_run("new", 3000, ("accuracy", 0.8))
    write_run("diverged", 4000)
    assert find_run("@last", HOME).name == "diverged"
    assert find_run("@best", HOME).name == "good"


def test_best_compares_only_scores_of_the_newest_kind() -> None:
    write_run("classes", 1000, ("accuracy", 0.9))
    write_run("numbers", 2000, ("r2", 0.2))
    write_run("better numbers", 1500, ("r2", 0.3))
    assert find_run("@best", HOME).name == "better numbers"


def test_searches_count_only_where_a_command_takes_them() -> None:
    write_run("a", 1000, ("accuracy", 0.5))
    write_search("study", 2000)
    assert find_run("@last", HOME).name == "a"
    assert find_run("@last", HOME, searches=True).name == "study"
    assert find_search("@last", HOME).name == "study"
    assert find_search("study", HOME) == HOME / "study"
    assert find_search("runs/study", Path("elsewhere")) == HOME / "study"


def test_names_that_no_run_has_get_a_clear_error() -> None:
    nothing = "holds no runs yet. Train one: netwise train digits. Or use the folder of your runs"
    for name in ("@last", "@best"):
        with pytest.raises(nw.RunFolderError, match=re.escape(f"{name}: runs {nothing}")):
            find_run(name, HOME)
    with pytest.raises(nw.RunFolderError, match="there is no run x, because runs holds no runs"):
        find_run("x", HOME)
    with pytest.raises(
        nw.RunFolderError, match=r"@last: runs holds no search\. Start one: netwise"
    ):
        find_search("@last", HOME)
    write_run("digits-3f2a", 1000)
    unscored = "@best: none of the 1 runs in runs has a test score, because they have not ended"
    with pytest.raises(nw.RunFolderError, match=re.escape(unscored)):
        find_run("@best", HOME)
    with pytest.raises(nw.UnknownName, match=r"unknown run in runs: 'digits-3f2b'\. Did you mean"):
        find_run("digits-3f2b", HOME)
    with pytest.raises(nw.UnknownName, match=r"short name of a run '@lst'\. Did you mean `@last`"):
        find_run("@lst", HOME)


def test_a_watched_program_is_a_run_like_any_other() -> None:
    write_run("old", 1000, ("accuracy", 0.5))
    folder = write_watched_run(HOME / "train")
    assert find_run("train", HOME) == find_run("@last", HOME) == folder
    assert find_run("@best", HOME).name == "old"  # a program has no test score
    with pytest.raises(nw.UnknownName, match="Did you mean `train`"):
        find_run("trian", HOME)


def test_best_says_why_a_watched_program_has_no_score() -> None:
    write_watched_run(HOME / "train")
    with pytest.raises(nw.RunFolderError, match="have no test part or are watched programs"):
        find_run("@best", HOME)


def test_every_command_that_takes_a_run_takes_both_names() -> None:
    train()
    Path("new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n")
    for name in ("@last", "@best"):
        for words in (("show", name), ("diagnose", name), ("predict", name, "new.csv")):
            result = run(*words)
            assert result.exit_code == 0, result.output
        ended = run("train", "--resume", name)
        assert "has ended" in ended.stderr or ended.exit_code == 0
        assert "text" in run("write", name).stderr  # iris is no text
    assert run("treat", "@last", "--seeds", "2", "--jobs", "1").exit_code == 0
