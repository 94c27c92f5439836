"""The command line on recipes of memories, energy models and autoencoders: the same run folder,
resume and report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import netwise as nw
from cli.command_line import run
from netwise.recipe.writer import write_recipe


@pytest.fixture
def home(here: Path) -> Path:
    for name in ("rbm", "denoising", "hopfield", "dbn"):
        write_recipe(nw.gallery.healthy[name].recipe, here / f"{name}.toml")
    write_recipe(nw.gallery.sick["memory_overloaded"].recipe, here / "overloaded.toml")
    return here


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("rbm", "log-likelihood"),
        ("denoising", "R²"),
        ("hopfield", "recall"),
        ("dbn", "a lower bound"),
    ],
)
def test_train_show_and_runs_report_each_kind_of_score(home: Path, name: str, score: str) -> None:
    trained = run("train", f"{name}.toml", *([] if name == "hopfield" else ["--epochs", "4"]))
    assert trained.exit_code == 0, trained.output
    assert score in trained.output
    folder = sorted((home / "runs").glob("*/recipe.toml"))[0].parent
    assert "What the network has learned" in (folder / "report.html").read_text()
    shown = run("show", folder.name, "--json")
    assert json.loads(shown.stdout)["score"]["sentence"]
    assert score.split()[0] in run("runs").output


@pytest.mark.usefixtures("processes_without_coverage")
def test_a_killed_run_resumes_to_the_same_bits(home: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "netwise",
        "train",
        "rbm.toml",
        "--epochs",
        "25",
        "--checkpoint-every",
        "7",
    ]
    whole = nw.fit(nw.gallery.healthy["rbm"].recipe.but(epochs=25))
    process = subprocess.Popen(
        words, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ}
    )
    for _ in range(600):
        if list((home / "runs").glob("*/checkpoints/step-*")):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    folder = next((home / "runs").glob("*/recipe.toml")).parent
    resumed = run("train", "--resume", str(folder))
    assert resumed.exit_code in (0, 2), resumed.output  # 2: it had ended before the signal came
    again = nw.load(folder)
    for name, value in whole.module.state_dict().items():
        assert value.equal(again.module.state_dict()[name]), name


def test_an_overloaded_memory_is_diagnosed_and_treated(home: Path) -> None:
    trained = run("train", "overloaded.toml")
    overloaded = next(rule for rule in nw.RULES if rule.name == "memory_overloaded")
    assert f"{overloaded.title} (" in trained.output
    course = run("treat", "overloaded.toml", "--seeds", "2", "--jobs", "1")
    assert course.exit_code == 0, course.output
    assert "Cured by use_pseudo_inverse" in course.output


def test_commands_that_do_not_apply_say_so(home: Path) -> None:
    for words, message in (
        (("script", "rbm.toml"), "cannot be written as a script"),
        (("script", "denoising.toml"), "learns its inputs instead of targets"),
        (("start", "rbm.toml"), "has no forward pass through layers"),
        (("rate", "hopfield.toml"), "has no loss that falls"),
    ):
        answer = run(*words)
        assert answer.exit_code == 2
        assert message in answer.output
    assert "layer1" in run("anatomy", "RBM").output
    assert "back1" in run("anatomy", "Autoencoder").output


def test_predict_writes_a_column_per_output(home: Path) -> None:
    recipe = nw.Recipe(data=nw.data.random_patterns(count=4, units=6), network=nw.Hopfield(6))
    nw.fit(recipe, folder=home / "runs" / "memory")
    (home / "new.csv").write_text("a,b,c,d,e,f\n1,1,-1,1,-1,1\n")
    answer = run("predict", "memory", "new.csv")
    assert answer.exit_code == 0, answer.output
    assert len(answer.output.splitlines()[1].split(",")) == 6
