"""The commands of searches, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import netwise as nw
from netwise.cli import main
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
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("space.toml").write_text(SPACE)
    Path("small.toml").write_text(RECIPE)
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


def test_a_search_prints_leaders_and_leaves_a_recipe_and_a_report(home: Path) -> None:
    said = call("search", "space.toml", "--jobs", "1", "-o", "study")
    assert said.exit_code == 0, said.output
    assert "Best trial:" in said.output
    assert "over 2 new seeds" in said.output
    assert (home / "study" / "report.html").read_text("utf-8").count("<svg") >= 2
    trained = call("train", "study/best.toml", "--json")
    assert trained.exit_code == 0, trained.output
    again = call("search", "--resume", "study", "--json", "--jobs", "1")
    told = json.loads(again.stdout)
    assert told["complete"]
    assert len(told["trials"]) == 3
    assert told["report"].endswith("report.html")
    more = json.loads(
        call("search", "--resume", "study", "--trials", "4", "--json", "--jobs", "1").stdout
    )
    assert len(more["trials"]) == 4


def test_a_search_is_listed_and_shown_as_one(home: Path) -> None:
    call("search", "space.toml", "--jobs", "1", "-o", "runs/study")
    (line,) = [line for line in call("runs").output.splitlines() if line.startswith("study")]
    assert line.split()[:3] == ["study", "iris", "MLP"]
    assert "accuracy" in line
    (home / "runs" / "study" / "report.html").unlink()
    shown = call("show", "study")
    assert shown.exit_code == 0, shown.output
    assert "Best trial:" in shown.output
    assert (home / "runs" / "study" / "report.html").is_file()
    assert json.loads(call("show", "study", "--json").stdout)["complete"]
    said = call("diagnose", "study")
    assert said.exit_code
    assert "is a search, whose trials are runs" in said.output
    assert call("diagnose", "runs/study/trials/0000/run").exit_code == 0


def test_a_search_that_has_not_ended_is_shown_as_far_as_it_is(home: Path) -> None:
    recipe = nw.read_recipe("small.toml")
    plan = nw.SearchPlan(
        space=nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0),)), method=nw.Random(), trials=3
    )
    study = StudyFolder.create(Path("runs/study"), recipe, plan)
    empty = call("show", "study")
    assert empty.exit_code == 0, empty.output
    assert "No trial was completed." in empty.output
    assert "searching" in call("runs").output
    taken = study.claim(0, study.stage(0))
    assert taken is not None
    told = json.loads(call("show", "study", "--json").stdout)
    assert not told["complete"]
    assert [trial["state"] for trial in told["trials"]] == ["running"]
    taken[1].release()


def test_words_that_cannot_be_are_told(home: Path) -> None:
    assert "search needs either SPACE.toml or --resume" in call("search").output
    assert "keeps its recipe" in call("search", "--resume", "x", "--set", "epochs=2").output
    assert "is no known search method" in call("search", "space.toml", "--method", "Gridd").output
    Path("space.toml").write_text(SPACE.replace('recipe = "small.toml"\n', ""))
    assert "names no recipe" in call("search", "space.toml").output
    assert (
        call(
            "search", "space.toml", "--recipe", "small.toml", "--trials", "1", "--jobs", "1"
        ).exit_code
        == 0
    )
    assert not list(home.glob("runs/*/.asking.tmp"))


def test_the_babysitters_log(home: Path) -> None:
    assert "has no entry to change yet" in call("guess", "book", "--because", "why not").output
    assert call("guess", "book", "small.toml", "--because", "a first look").exit_code == 0
    second = call(
        "guess", "book", "--because", "the loss fell slowly", "--set", "optimizer.lr=0.05"
    )
    assert "optimizer.lr: 0.001 -> 0.05" in second.output
    assert "helps" in call("outcome", "book", "2", "a larger", "rate", "helps").output
    told = json.loads(call("log", "book", "--json").stdout)
    assert [entry["reason"] for entry in told] == ["a first look", "the loss fell slowly"]
    assert told[1]["outcome"] == "a larger rate helps"
    assert "no guess 7" in call("outcome", "book", "7", "x").output
    assert "has no entry yet" in call("log", "nothing").output


def test_validate_and_curve(home: Path) -> None:
    told = json.loads(
        call("validate", "small.toml", "--folds", "3", "--jobs", "1", "--json").stdout
    )
    assert len(told["values"]) == 3
    said = call(
        "curve",
        "small.toml",
        "--rows",
        "30,90",
        "--seeds",
        "1",
        "--jobs",
        "1",
        "--picture",
        "curve.svg",
    )
    assert said.exit_code == 0, said.output
    assert "More data" in said.output
    assert (home / "curve.svg").read_text("utf-8").startswith("<svg")
    assert "write whole numbers" in call("curve", "small.toml", "--rows", "a,b").output


def test_where_every_trial_fails_the_reason_is_told(home: Path) -> None:
    Path("small.toml").write_text(
        RECIPE.replace("MLP", "CustomNetwork").replace(
            "widths = [4, 8, 3]", 'source = "torch.nn:Identity"'
        )
    )
    said = call("search", "space.toml", "--jobs", "1", "-o", "study", "--trust-own")
    assert "No trial was completed. Trial 0: " in said.output
    assert said.output.count("failed") == 3
