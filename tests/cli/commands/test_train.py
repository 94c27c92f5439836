"""netwise train, treat and demo: what they print, what they leave, how they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import netwise as nw
from cli.command_line import run, run_folder, train


def test_train_prints_score_diagnosis_and_report() -> None:
    result = run("train", "digits", "--network", "mlp", "--epochs", "5", "--no-baselines")
    assert result.exit_code == 0
    assert result.stdout.startswith("Finished: test accuracy 9")
    assert "95 % interval" in result.stdout
    assert "No problem found." in result.stdout
    assert "epoch 5/5  loss " in result.stderr
    assert result.stderr.startswith("digits: 1,797 samples of 1 x 8 x 8 numbers.")
    assert "\x1b" not in result.output
    folder = run_folder()
    assert {
        "recipe.toml",
        "about.json",
        "history",
        "checkpoints",
        "weights.safetensors",
        "report.html",
    } <= {path.name for path in folder.iterdir()}
    assert f"Report: {folder}/report.html" in result.stdout


@pytest.mark.usefixtures("empty_reports")
def test_a_finding_ends_the_run_where_it_is_asked_for() -> None:
    recipe = nw.gallery.sick["start_symmetric"].recipe
    nw.write_recipe(recipe, "sick.toml")
    result = run("train", "sick.toml", "--stop-on", "cause")
    assert result.exit_code == 130
    assert "Left off after epoch 3 of 15: symmetric initialization (cause)." in result.stdout
    assert run("train", "sick.toml", "--stop-on", "certain").exit_code == 2


@pytest.mark.parametrize(
    ("words", "used"),
    [("none", []), ("late_checks, fused_update", ["late_checks", "fused_update"])],
)
def test_speedups_of_a_run_are_those_that_it_names(words: str, used: list[str]) -> None:
    folder = train("--speedups", words)
    assert json.loads((folder / "about.json").read_text())["how"]["speedups"] == used


@pytest.mark.usefixtures("empty_reports")
def test_a_recipe_is_trained_with_a_field_changed() -> None:
    folder = train()
    result = run(
        "train",
        str(folder / "recipe.toml"),
        "--set",
        "optimizer.lr=0.01",
        "--set",
        "optimizer.beta1=0.5",
        "--runs",
        "others",
        "--seed",
        "4",
    )
    assert result.exit_code == 0
    (other,) = (path for path in Path("others").iterdir() if path.is_dir())
    changed = nw.recipe_diff(
        nw.read_recipe(folder / "recipe.toml"), nw.read_recipe(other / "recipe.toml")
    )
    assert changed == {"optimizer.lr": (0.001, 0.01), "optimizer.beta1": (0.9, 0.5), "seed": (0, 4)}


def test_a_diverged_run_ends_with_3() -> None:
    result = run("train", "iris", "--epochs", "3", "--set", 'optimizer={kind="SGD", lr=1e30}')
    assert result.exit_code == 3
    assert result.stdout.startswith("Diverged at step ")
    assert "Learning rate too high" in result.stdout
    assert "diverged" in run("runs").stdout


@pytest.mark.usefixtures("empty_reports")
def test_json_has_everything() -> None:
    plain = json.loads(run("train", "iris", "--epochs", "2", "--json").stdout)
    assert plain["ended"]["how"] == "finished"
    assert plain["score"]["name"] == "accuracy"
    shown = json.loads(run("show", plain["folder"], "--json").stdout)
    assert {"series", "recipe", "diagnosis", "layers", "facts"} <= set(shown)
    assert shown["recipe"]["epochs"] == 2


@pytest.mark.usefixtures("empty_reports")
def test_treat_proves_a_remedy() -> None:
    sick = nw.gallery.sick["rate_too_low"].recipe
    nw.write_recipe(sick, "sick.toml")
    assert run("train", "sick.toml").exit_code == 0
    result = run("treat", run_folder().name, "--seeds", "2", "--jobs", "1")
    assert result.exit_code == 0
    assert "Found: rate too low." in result.stdout
    assert "Cured by " in result.stdout
    assert "Test before: accuracy" in result.stdout
    treated = next(path for path in Path("runs").iterdir() if path.name.endswith("-treated"))
    assert "Paired trials" in (treated / "report.html").read_text("utf-8")
    assert nw.load(treated).score is not None


def test_a_treatment_has_json() -> None:
    Path("slow.toml").write_text(
        'data = "iris"\nepochs = 30\nnetwork = {kind = "MLP", widths = [4, 8, 3]}\n'
        'optimizer = {kind = "SGD", lr = 1e-4}'
    )
    words = ("--seeds", "2", "--jobs", "1", "--no-baselines", "--json")
    plain = json.loads(run("treat", "slow.toml", *words).stdout)
    first = plain["rounds"][0]
    assert first["finding"] == "rate_too_low"
    assert plain["cured"] is (first["accepted"] is not None)


@pytest.mark.usefixtures("empty_reports")
def test_an_own_network_runs_only_when_trusted(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    Path("mine_cli.py").write_text("from torch import nn\ndef net():\n    return nn.Linear(4, 3)\n")
    Path("own.toml").write_text(
        'data = "iris"\nepochs = 2\nnetwork = {kind = "CustomNetwork", source = "mine_cli:net"}\n'
    )
    refused = run("train", "own.toml")
    assert refused.exit_code == 2
    assert "add --trust-own to import and run it" in refused.stderr
    monkeypatch.syspath_prepend(str(here))
    assert run("train", "own.toml", "--trust-own").exit_code == 0
    Path("new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n")
    assert run("predict", run_folder().name, "new.csv").exit_code == 2
    assert run("predict", run_folder().name, "new.csv", "--trust-own").exit_code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_ended_by_a_signal_can_be_resumed(
    number: signal.Signals, code: int, here: Path
) -> None:
    words = [sys.executable, "-m", "netwise", "train", "digits", "--epochs", "3000"]
    worker = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(here.glob("runs/*/checkpoints/step-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(worker.pid, number)
    out, err = worker.communicate(timeout=60)
    assert worker.returncode == code, err
    assert f"Interrupted by {number.name}" in out
    assert f"Continue with: netwise train --resume {run_folder()}" in err
    assert "Traceback" not in err
    assert "baseline" not in out  # somebody waits for the end
    assert (run_folder() / "report.html").exists() == (number == signal.SIGINT)
    steps = nw.load_history(run_folder()).ended.step
    worker = subprocess.Popen(
        [*words[:4], "--resume", run_folder().name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while (
        not any(
            int(path.name.removeprefix("step-")) > steps
            for path in here.glob("runs/*/checkpoints/step-*")
        )
        and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    os.kill(worker.pid, number)
    worker.communicate(timeout=60)
    if worker.returncode == code:
        assert nw.load_history(run_folder()).ended.step > steps


@pytest.mark.usefixtures("empty_reports")
def test_set_of_another_kind_brings_its_own_defaults(here: Path) -> None:
    (here / "r.toml").write_text(
        'data = "iris"\nepochs = 1\nnetwork = {kind = "MLP", widths = [4, 3]}\n'
        'optimizer = {kind = "SGD", momentum = 0.5}'
    )
    result = run("train", "r.toml", "--set", "optimizer.lr=0.25", "--set", "optimizer.kind=Lion")
    assert result.exit_code == 0, result.output
    assert nw.read_recipe(run_folder() / "recipe.toml").optimizer == nw.Lion(lr=0.25)


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("empty_reports")
def test_broken_images_are_left_out_and_counted_when_asked() -> None:
    for name, grey in (("day", 220), ("night", 20)):
        folder = Path("photos", name)
        folder.mkdir(parents=True)
        for i in range(10):
            Image.new("L", (4, 4), grey + i).save(folder / f"{i}.png")
    Path("photos", "day", "cut.png").write_bytes(b"")
    refused = run("train", "photos", "--epochs", "1")
    assert refused.exit_code == 2
    assert "photos/day/cut.png cannot be read as an image" in refused.stderr
    done = run("train", "photos", "--epochs", "1", "--skip-broken")
    assert done.exit_code == 0
    assert done.stderr.startswith("Warning: photos: 1 of 21 image files cannot be read")
    assert "skip_broken = true" in (run_folder() / "recipe.toml").read_text()
    assert "digits has no files of pictures" in run("train", "digits", "--skip-broken").stderr
