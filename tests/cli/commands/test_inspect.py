"""netwise runs, show and diagnose."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import netwise as nw
from cli.command_line import run, run_folder, train
from netwise.recipe.plain import plain_of
from watching.watched_run import PROGRAM, write_watched_run

pytestmark = pytest.mark.usefixtures("empty_reports")


def test_an_unknown_run_gets_similar_names() -> None:
    folder = train()
    result = run("show", folder.name[:-1] + "x")
    assert result.exit_code == 2
    assert f"Did you mean `{folder.name}`?" in result.stderr


def test_runs_show_and_diagnose() -> None:
    assert "runs holds no runs yet. Train one: netwise train digits" in run("runs").stdout
    folder = train()
    lines = run("runs").stdout.splitlines()
    assert lines[0].split() == ["run", "data", "network", "ended", "test", "score"]
    assert lines[1].split()[:5] == [folder.name, "iris", "MLP", "finished", "accuracy"]
    shown = run("show", folder.name).stdout
    assert "All 3 epochs done." in shown
    assert f"Report: {folder}/report.html" in shown
    assert "No sign of: " in run("diagnose", str(folder)).stdout


@pytest.mark.parametrize(
    "words",
    [
        ("runs",),
        ("show", "RUN"),
        ("diagnose", "RUN"),
        ("check", "RUN/recipe.toml"),
        ("lab",),
        ("lab", "L01"),
    ],
)
def test_every_reading_command_has_json(words: tuple[str, ...]) -> None:
    folder = train()
    result = run(*(word.replace("RUN", str(folder)) for word in words), "--json")
    assert result.exit_code == 0
    json.loads(result.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_show_activations_is_a_table_and_a_picture(here: Path) -> None:
    done = run("show", "activations", "--picture", "a.png")
    assert done.exit_code == 0, done.stderr
    assert re.search(r"Tanh +-1 to 1 +1 +\|x\| > 1.82 +\|x\| > 2.99 +0.000", done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 80 + 10
    assert (here / "a.png").stat().st_size > 10_000
    for words in (("show", "activations"), ("anatomy", "LeNet5")):
        wrong = run(*words, "--picture", "a.txt")
        assert wrong.exit_code == 2
        assert "its name has to end in .png or .svg" in wrong.stderr
    again = run("show", "activations", "--picture", "a.png")
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    assert {row["name"] for row in json.loads(run("show", "activations", "--json").stdout)} >= {
        "GELU",
        "Sigmoid",
    }


def test_a_damaged_run_is_listed_with_its_reason(here: Path) -> None:
    folder = train()
    (folder / "about.json").write_text('{"layers": 3}')
    listed = run("runs")
    assert listed.exit_code == 0
    assert re.search(rf"{folder.name} .*damaged", listed.stdout)
    reason = "about.json is damaged, because layers = 3 must be a list. Restore it from a copy, or"
    assert reason in listed.stdout
    assert reason in json.loads(run("runs", "--json").stdout)[0]["reason"]
    shown = run("show", folder.name)
    assert shown.exit_code == 2
    assert reason in shown.stderr.replace("\n", " ")


def test_show_prints_an_interrupted_run_without_a_report(here: Path) -> None:
    folder = train()
    (folder / "report.html").unlink()
    result = run("show", folder.name, "--open")
    assert result.exit_code == 0
    assert "Report:" not in result.stdout
    assert f"Continue it: netwise train --resume {folder}" in result.stderr


def test_show_as_json_has_the_recipe_as_a_file_would(here: Path) -> None:
    folder = train()
    document = json.loads(run("show", "@last", "--json").stdout)
    assert document["recipe"] == plain_of(nw.read_recipe(folder / "recipe.toml"))
    history = nw.load_history(folder)
    shown = {(s["signal"], s["layer"]): tuple(s["values"]) for s in document["series"]}
    assert shown == {key: series.values for key, series in history.series.items()}


def test_diagnose_prints_what_train_printed() -> None:
    result = run("train", "iris", "--epochs", "3", "--set", 'optimizer={kind="SGD", lr=1e30}')
    diagnosis = run("diagnose", "@last").stdout.splitlines()
    assert diagnosis[0].startswith("Learning rate too high (cause).")
    assert diagnosis[0] in result.stdout
    assert f"Prove a remedy: netwise treat {run_folder()}" in result.stdout


def test_short_trials_of_a_saved_run() -> None:
    words = ("train", "iris", "--epochs", "3", "--set")
    run(*words, 'optimizer={kind="SGD", lr=1e-7}')
    text = run("diagnose", "@last", "--try").stdout
    assert "Learning rate too low (proved)." in text
    assert "rate trial: proved." in text
    watched = write_watched_run(Path("runs/train"))
    refused = run("diagnose", str(watched), "--try")
    assert refused.exit_code == 2
    assert "netwise watch --try SCRIPT" in refused.stderr


def test_a_watched_program_is_listed_shown_and_diagnosed(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_watched_run(Path("runs/train"))
    assert re.split("  +", run("runs").stdout.splitlines()[1]) == [
        "train",
        "program train.py",
        "Net",
        "finished",
    ]
    shown = run("show", "@last").stdout.splitlines()
    assert shown[:2] == ["train: Net, program train.py", "40 steps were recorded."]
    assert not (folder / "report.html").exists()
    assert run("diagnose", "train").stdout.splitlines() == shown[2:]
    document = json.loads(run("show", "train", "--json").stdout)
    assert document["program"] == PROGRAM
    assert document["recipe"] == {}
    opened: list[str] = []
    monkeypatch.setattr("click.launch", opened.append)
    result = run("show", "train", "--open")
    assert opened == ["runs/train/report.html"]
    assert "Report: runs/train/report.html" in result.stdout


def test_a_command_that_needs_a_recipe_refuses_a_watched_program() -> None:
    write_watched_run(Path("runs/train"))
    Path("new.csv").write_text("a\n1\n")
    for words in (
        ("treat", "@last"),
        ("train", "--resume", "train"),
        ("predict", "train", "new.csv"),
        ("write", "train"),
    ):
        result = run(*words)
        assert result.exit_code == 2, words
        assert "is a run of the program train.py, which has no recipe" in result.stderr
        assert "print the diagnosis of this one: netwise show runs/train" in result.stderr
