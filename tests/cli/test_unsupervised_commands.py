"""The command line on recipes of memories, machines and autoencoders: the same folder, resume,
report and words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import netwise as nw
from netwise.cli import main
from netwise.recipe.writer import write_recipe


def said(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("rbm", "denoising", "hopfield", "dbn"):
        write_recipe(nw.gallery.healthy[name].recipe, tmp_path / f"{name}.toml")
    write_recipe(nw.gallery.sick["memory_overloaded"].recipe, tmp_path / "overloaded.toml")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("rbm", "log-likelihood"),
        ("denoising", "R²"),
        ("hopfield", "recall"),
        ("dbn", "a lower bound"),
    ],
)
def test_train_show_and_runs_speak_of_each(home: Path, name: str, score: str) -> None:
    trained = said("train", f"{name}.toml", *([] if name == "hopfield" else ["--epochs", "4"]))
    assert trained.exit_code == 0, trained.output
    assert score in trained.output
    run = sorted((home / "runs").glob("*/recipe.toml"))[0].parent
    assert "What it has learned" in (run / "report.html").read_text()
    shown = said("show", run.name, "--json")
    assert json.loads(shown.stdout)["score"]["sentence"]
    assert score.split()[0] in said("runs").output


def test_a_machine_that_was_killed_goes_on_to_the_same_bits(home: Path) -> None:
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
    run = next((home / "runs").glob("*/recipe.toml")).parent
    resumed = said("train", "--resume", str(run))
    assert resumed.exit_code in (0, 2), resumed.output  # 2: it had ended before the signal came
    again = nw.load(run)
    for name, value in whole.module.state_dict().items():
        assert value.equal(again.module.state_dict()[name]), name


def test_a_sick_memory_is_named_and_its_cure_is_proved(home: Path) -> None:
    trained = said("train", "overloaded.toml")
    assert "Memory overloaded" in trained.output
    course = said("treat", "overloaded.toml", "--seeds", "3", "--jobs", "1")
    assert course.exit_code == 0, course.output
    assert "Cured by use_pseudo_inverse" in course.output


def test_what_has_no_meaning_for_them_is_said(home: Path) -> None:
    for words, told in (
        (("script", "rbm.toml"), "no plain form as a script"),
        (("script", "denoising.toml"), "learns its inputs in a way of its own"),
        (("start", "rbm.toml"), "starts at the means of its inputs"),
        (("rate", "hopfield.toml"), "compare likelihoods"),
    ):
        answer = said(*words)
        assert answer.exit_code == 2
        assert told in answer.output
    assert "layer1" in said("anatomy", "RBM").output
    assert "back1" in said("anatomy", "Autoencoder").output


def test_predict_gives_back_columns(home: Path) -> None:
    recipe = nw.Recipe(data=nw.data.random_patterns(count=4, units=6), network=nw.Hopfield(6))
    nw.fit(recipe, folder=home / "runs" / "memory")
    (home / "new.csv").write_text("a,b,c,d,e,f\n1,1,-1,1,-1,1\n")
    answer = said("predict", "memory", "new.csv")
    assert answer.exit_code == 0, answer.output
    assert len(answer.output.splitlines()[1].split(",")) == 6
