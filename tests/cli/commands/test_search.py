"""The commands of searches, as a user types them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import netwise as nw
from cli.command_line import run
from netwise.searches.study import StudyFolder

SPACE = """
recipe = "small.toml"
trials = 3
fresh = 2
method = {kind = "Random"}

[[axes]]
kind = "Log"
field = "optimizer.lr"
low = 1e-3
high = 1.0
"""
RECIPE = 'data = "iris"\nnetwork = {kind = "MLP", widths = [4, 8, 3]}\nepochs = 3\n'


@pytest.fixture
def home(here: Path) -> Path:
    Path("space.toml").write_text(SPACE)
    Path("small.toml").write_text(RECIPE)
    return here


def test_a_search_prints_the_best_trials_and_leaves_a_recipe_and_a_report(home: Path) -> None:
    result = run("search", "space.toml", "--jobs", "1", "-o", "study")
    assert result.exit_code == 0, result.output
    assert "Random search over optimizer.lr. 3 trials: 3 complete." in result.output
    assert "Best trial:" in result.output
    assert "over 2 new seeds" in result.output
    assert (home / "study" / "report.html").read_text("utf-8").count("<svg") >= 2
    trained = run("train", "study/best.toml", "--json")
    assert trained.exit_code == 0, trained.output
    again = run("search", "--resume", "study", "--json", "--jobs", "1")
    document = json.loads(again.stdout)
    assert document["complete"]
    assert len(document["trials"]) == 3
    assert document["report"].endswith("report.html")
    more = json.loads(
        run("search", "--resume", "study", "--trials", "4", "--json", "--jobs", "1").stdout
    )
    assert len(more["trials"]) == 4


def test_sigterm_ends_a_search_with_its_exit_code(home: Path) -> None:
    Path("small.toml").write_text(RECIPE.replace("epochs = 3", "epochs = 100000"))
    words = [sys.executable, "-m", "netwise", "search", "space.toml", "--jobs", "1", "-o", "study"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    rows = "study/trials/*/run/history/rows.jsonl"
    while not list(home.glob(rows)) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert "Continue with: netwise search --resume study" in err
    assert "Traceback" not in err


def test_a_search_is_listed_and_shown_as_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("search", "space.toml", "--jobs", "1", "-o", "runs/study")
    (line,) = [line for line in run("runs").output.splitlines() if line.startswith("study")]
    assert line.split()[:3] == ["study", "iris", "MLP"]
    assert "accuracy" in line
    page = home / "runs" / "study" / "report.html"
    page.unlink()
    shown = run("show", "study")
    assert shown.exit_code == 0, shown.output
    assert "Best trial:" in shown.output
    assert not page.exists()
    monkeypatch.setattr("click.launch", lambda url: None)
    assert "Report: runs/study/report.html" in run("show", "study", "--open").output
    assert page.is_file()
    assert json.loads(run("show", "study", "--json").stdout)["complete"]
    result = run("diagnose", "study")
    assert result.exit_code
    assert "is a search, whose trials are runs" in result.output
    assert run("diagnose", "runs/study/trials/0000/run").exit_code == 0


def test_a_search_that_has_not_ended_is_shown_as_far_as_it_is(home: Path) -> None:
    recipe = nw.read_recipe("small.toml")
    plan = nw.SearchPlan(
        space=nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0),)), method=nw.Random(), trials=3
    )
    study = StudyFolder.create(Path("runs/study"), recipe, plan)
    empty = run("show", "study")
    assert empty.exit_code == 0, empty.output
    assert "No trial was completed." in empty.output
    assert "searching" in run("runs").output
    taken = study.claim(0, study.stage(0))
    assert taken is not None
    document = json.loads(run("show", "study", "--json").stdout)
    assert not document["complete"]
    assert [trial["state"] for trial in document["trials"]] == ["running"]
    taken[1].release()


def test_mistakes_are_reported(home: Path) -> None:
    assert "search needs either SPACE.toml, FILE.csv with --target" in run("search").output
    assert "keeps its recipe" in run("search", "--resume", "x", "--set", "epochs=2").output
    assert "is no known search method" in run("search", "space.toml", "--method", "Gridd").output
    Path("space.toml").write_text(SPACE.replace('recipe = "small.toml"\n', ""))
    assert "names no recipe" in run("search", "space.toml").output
    assert (
        run(
            "search", "space.toml", "--recipe", "small.toml", "--trials", "1", "--jobs", "1"
        ).exit_code
        == 0
    )
    assert not list(home.glob("runs/*/.asking.tmp"))


def test_where_every_trial_fails_the_reason_is_printed(home: Path) -> None:
    Path("small.toml").write_text(
        RECIPE.replace("MLP", "CustomNetwork").replace(
            "widths = [4, 8, 3]", 'source = "torch.nn:Identity"'
        )
    )
    result = run("search", "space.toml", "--jobs", "1", "-o", "study", "--trust-own")
    assert "has no weights that can be trained" in result.output
    assert len(re.findall("^trial . +failed ", result.output, re.M)) == 3


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_where_all_runs_diverge_there_is_no_winner_and_the_code_says_so(home: Path) -> None:
    wild = SPACE.replace("1e-3", "1e28").replace("high = 1.0", "high = 1e30")
    Path("wild.toml").write_text(wild)
    Path("small.toml").write_text(RECIPE + 'optimizer = {kind = "SGD", lr = 1e30}\n')
    result = run("search", "wild.toml", "--jobs", "1", "-o", "study")
    assert result.exit_code == 3
    assert "3 trials: 3 failed." in result.output
    assert "No trial was completed." in result.output
    assert "3 of 3 trials failed and have no value; trial 0 (optimizer.lr = " in result.output
    assert "Diverged at step" in (home / "study" / "report.html").read_text("utf-8")
    assert not (home / "study" / "best.toml").exists()
    for command in (["validate"], ["curve", "--rows", "20,40"]):
        compared = run(command[0], "small.toml", *command[1:], "--jobs", "1")
        assert compared.exit_code == 3
        assert "runs diverged (" in compared.output
        assert "Traceback" not in compared.output
    guessed = run("guess", "log", "small.toml", "--because", "to see how far it goes")
    assert guessed.exit_code == 0
    assert "Warning: guess 1: Diverged at step" in guessed.output


def test_predictions_of_a_diverged_run_come_with_a_warning(home: Path) -> None:
    Path("wild.toml").write_text(RECIPE + 'optimizer = {kind = "SGD", lr = 1e30}\n')
    assert run("train", "wild.toml").exit_code == 3
    Path("new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n")
    result = run("predict", "@last", "new.csv")
    assert result.exit_code == 0
    assert "Warning: Diverged at step" in result.stderr
    assert result.stdout.startswith("prediction,probability,probability_setosa,")


def test_a_table_is_searched_by_one_command_or_its_space_is_written(home: Path) -> None:
    rows = "\n".join(f"{i * 0.37:.2f},{'red' if i % 3 else 'blue'},{i % 2}" for i in range(60))
    table = home / "pets.csv"
    table.write_text(f"size,colour,kind\n{rows}\n")
    written = home / "pets-space.toml"
    small = ("--target", "kind", "--set", "network.widths=[3,4,2]", "--set", "epochs=1")
    result = run("search", str(table), *small, "--trials", "2", "--write-space", str(written))
    assert result.exit_code == 0, result.output
    assert "optimizer.lr: 0.003 to 0.3, logarithmic" in result.output
    assert f"then: netwise search {written}" in result.output
    assert (
        "exists already" in run("search", str(table), *small, "--write-space", str(written)).output
    )

    text = written.read_text().replace("fresh = 5", "fresh = 1")
    written.write_text(text)
    result = run("search", str(written), "-o", str(home / "study"), "--json")
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["trials"]) == 2

    output = run("search", str(written), "--target", "kind").output
    assert "the recipe of a space file names its own target" in output
    assert "Leave --recipe" in run("search", str(table), "--recipe", str(written)).output
