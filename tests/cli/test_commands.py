"""The command line as a new user meets it: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import netwise as nw
from netwise.cli import main


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def the_run() -> Path:
    (folder,) = (path for path in Path("runs").iterdir() if path.is_dir())
    return folder


def train(*words: str) -> Path:
    result = run("train", "iris", "--epochs", "3", *words)
    assert result.exit_code == 0, result.output
    return the_run()


def test_the_main_job() -> None:
    result = run("train", "digits", "--network", "mlp", "--epochs", "5")
    assert result.exit_code == 0
    assert result.stdout.startswith("Finished: test accuracy 9")
    assert "95 % interval" in result.stdout
    assert "No problem found by" in result.stdout
    assert "epoch 5/5  loss " in result.stderr
    assert "\x1b" not in result.output
    folder = the_run()
    assert {
        "recipe.toml",
        "about.json",
        "history",
        "checkpoints",
        "weights.safetensors",
        "report.html",
    } <= {path.name for path in folder.iterdir()}
    assert f"Report: {folder}/report.html" in result.stdout


def test_a_table_is_trained_on_and_predicted() -> None:
    Path("pets.csv").write_text(
        "weight,colour,pet\n" + "4,red,cat\n30,,dog\n5,red,cat\n?,black,dog\n" * 20
    )
    assert run("train", "pets.csv", "--target", "pet", "--epochs", "20").exit_code == 0
    Path("new.csv").write_text("weight,colour\n4.5,red\n,black\n")
    result = run("predict", the_run().name, "new.csv")
    assert [line.split(",")[0] for line in result.stdout.splitlines()] == [
        "prediction",
        "cat",
        "dog",
    ]
    plain = json.loads(run("predict", the_run().name, "new.csv", "--json").stdout)
    assert plain["predictions"] == ["cat", "dog"]
    assert plain["classes"] == ["cat", "dog"]
    assert (
        run("predict", the_run().name, "new.csv", "-o", "out.csv").stdout
        == "2 predictions in out.csv\n"
    )
    again = run("predict", the_run().name, "new.csv", "-o", "out.csv")
    assert again.exit_code == 2
    assert "exists already, and files are never overwritten. Use a new name." in again.stderr


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


WRONG = [
    (("trian",), "unknown command 'trian'. Did you mean `train` or `treat`?"),
    (("train",), "train needs either SOURCE"),
    (("train", "digitz"), "unknown data set 'digitz'. Did you mean `digits`?"),
    (("train", "digits", "--network", "mpl"), "unknown network 'mpl'. Did you mean `mlp`?"),
    (
        ("train", "digits", "--set", "optimizer.lrr=1"),
        "optimizer.lrr  unknown field. Did you mean `lr`?",
    ),
    (("train", "digits", "--set", "epochs=none"), "epochs = 'none'  must be a whole number"),
    (("train", "digits", "--set", "epochs"), "Write FIELD=VALUE, such as optimizer.lr=0.01"),
    (("train", "digits", "--set", "epochs.x=3"), "epochs is 100, not a table"),
    (
        ("train", "digits", "--target", "x"),
        "the data set digits has its own target. Leave --target out.",
    ),
    (("train", "absent.toml"), "cannot be read: No such file"),
    (("train", "absent.csv", "--target", "x"), "absent.csv is not there"),
    (
        ("train", "--resume", "x"),
        "there is no run x, because runs holds no runs yet. Train one: netwise train digits",
    ),
    (("train", "digits", "--resume", "x"), "train needs either SOURCE"),
    (("train", "--resume", "x", "--epochs", "3"), "a resumed run keeps its recipe"),
    (("diagnose", "x"), "there is no run x"),
    (("treat", "x.toml"), "cannot be read"),
    (("lab", "L999"), "unknown lab 'L999'."),
    (("train", "digits", "--threads", "0"), "threads = 0  must be at least 1"),
    (("train", "digits", "--device", "cuda:99"), "finds no CUDA device"),
]


@pytest.mark.parametrize(
    ("words", "told"), WRONG, ids=lambda v: " ".join(v) if isinstance(v, tuple) else ""
)
def test_a_mistake_is_answered_with_a_sentence_and_2(words: tuple[str, ...], told: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert not list(Path.cwd().glob("runs/*/*"))  # nothing is left behind


def test_a_run_that_is_not_there_is_answered_with_the_near_ones() -> None:
    folder = train()
    result = run("show", folder.name[:-1] + "x")
    assert result.exit_code == 2
    assert f"Did you mean `{folder.name}`?" in result.stderr


def test_a_diverged_run_ends_with_3() -> None:
    result = run("train", "iris", "--epochs", "3", "--set", 'optimizer={kind="SGD", lr=1e30}')
    assert result.exit_code == 3
    assert result.stdout.startswith("Diverged at step ")
    assert "Learning rate too high" in result.stdout
    assert "diverged" in run("runs").stdout


def test_runs_show_and_diagnose() -> None:
    assert "runs holds no runs yet. Train one: netwise train digits" in run("runs").stdout
    folder = train()
    assert folder.name in run("runs").stdout
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


def test_json_has_everything() -> None:
    plain = json.loads(run("train", "iris", "--epochs", "2", "--json").stdout)
    assert plain["ended"]["how"] == "finished"
    assert plain["score"]["name"] == "accuracy"
    shown = json.loads(run("show", plain["folder"], "--json").stdout)
    assert {"series", "recipe", "diagnosis", "layers", "facts"} <= set(shown)
    assert shown["recipe"]["epochs"] == 2


def test_check_tells_the_grades_the_table_and_the_reasons() -> None:
    folder = train()
    result = run("check", str(folder / "recipe.toml"), "--why")
    assert "No problems. Train it: netwise train " in result.stdout
    assert "layer1" in result.stdout
    assert "batch_size = 32" in result.stdout
    assert "epochs = 3" in result.stdout
    assert "optimizer.beta1 = 0.9   default: the paper's value" in result.stdout
    bad = run("check", str(folder / "recipe.toml"), "--set", "network.widths=[4, 9, 2]")
    assert bad.exit_code == 2
    assert (
        "cannot run: network.widths = [4, 9, 2]  ends in 2 outputs, and the data have 3 classes. Write [4, 9, 3]."
        in bad.stdout
    )
    badly = run("check", str(folder / "recipe.toml"), "--set", "network.output=Softmax")
    assert badly.exit_code == 0
    assert "will learn badly: network.output = Softmax" in badly.stdout


def test_treat_cures_and_says_how() -> None:
    sick = nw.gallery.sick["rate_too_low"].recipe
    nw.write_recipe(sick, "sick.toml")
    assert run("train", "sick.toml").exit_code == 0
    result = run("treat", the_run().name, "--seeds", "2", "--jobs", "1")
    assert result.exit_code == 0
    assert "Found: rate too low." in result.stdout
    assert "Cured by " in result.stdout
    assert "Test before: accuracy" in result.stdout
    treated = next(path for path in Path("runs").iterdir() if path.name.endswith("-treated"))
    assert "Paired trials" in (treated / "report.html").read_text("utf-8")
    assert nw.load(treated).score is not None
    plain = json.loads(run("treat", "sick.toml", "--seeds", "2", "--jobs", "1", "--json").stdout)
    assert plain["cured"] is True
    assert plain["rounds"][0]["finding"] == "rate_too_low"


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
    assert run("predict", the_run().name, "new.csv").exit_code == 2
    assert run("predict", the_run().name, "new.csv", "--trust-own").exit_code == 0


def test_numbers_are_predicted_for_data_without_columns() -> None:
    folder = train()
    Path("new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n")
    assert run("predict", folder.name, "new.csv").stdout.startswith("prediction,probability\n")
    Path("bad.csv").write_text("a,b,c,d\n5.1,x,1.4,0.2\n")
    assert "'x' is no number" in run("predict", folder.name, "bad.csv").stderr
    Path("short.csv").write_text("a,b\n5.1,3\n")
    assert run("predict", folder.name, "short.csv").exit_code == 2


def test_labs_are_listed_and_run() -> None:
    assert "L01  A sigmoid neuron" in run("lab").stdout
    result = run("lab", "L02")
    assert "L02: partly confirmed." in result.stdout
    assert "NOT MET  at the note's rate of 0.005" in result.stdout
    assert Path("labs/L02.html").is_file()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_that_can_go_on(number: signal.Signals, code: int, here: Path) -> None:
    words = [sys.executable, "-m", "netwise", "train", "digits", "--epochs", "3000"]
    worker = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(here.glob("runs/*/checkpoints/step-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(worker.pid, number)
    out, err = worker.communicate(timeout=60)
    assert worker.returncode == code, err
    assert f"Interrupted by {number.name}" in out
    assert f"Continue with: netwise train --resume {the_run()}" in err
    assert "Traceback" not in err
    (the_run() / "report.html").unlink()
    steps = nw.load_history(the_run()).ended.step
    worker = subprocess.Popen(
        [*words[:4], "--resume", the_run().name],
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
        assert nw.load_history(the_run()).ended.step > steps


def test_help_of_every_command() -> None:
    for name in main.commands:
        result = run(name, "--help")
        assert result.exit_code == 0
        assert result.stdout.startswith("Usage: ")
    assert run("--version").stdout == f"netwise {nw.__version__}\n"


def test_the_live_display_shows_what_the_plain_one_does(
    capsys: pytest.CaptureFixture[str], small: nw.Recipe
) -> None:
    from netwise.cli.display import LiveDisplay, PlainDisplay

    plain, live = nw.fit(small, progress=PlainDisplay()), nw.fit(small, progress=LiveDisplay())
    assert plain.history.series == live.history.series
    assert "epoch 4/4  loss " in capsys.readouterr().err


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


def test_anatomy_of_names_and_recipes(here: Path) -> None:
    done = run("anatomy", "resnet", "--set", "depth=50", "--json")
    assert json.loads(done.stdout)["parameters"] == 25_557_032
    assert "61,706" in run("anatomy", "LeNet5", "--picture", "lenet.svg").stdout
    assert (here / "lenet.svg").is_file()
    assert json.loads(
        run(
            "anatomy",
            "VGG",
            "--image",
            "1x28x28",
            "--set",
            "classes=10",
            "--set",
            "width=0.1",
            "--json",
        ).stdout
    )["output"] == [10]
    (here / "r.toml").write_text('data = "digits"\nnetwork = {kind = "MLP", widths = [64, 30, 10]}')
    assert "2,260" in run("anatomy", "r.toml").stdout
    for words, told in (
        (("anatomy", "resnett"), "Did you mean `ResNet`"),
        (("anatomy", "ResNet", "--set", "depth=51"), "must be one of 18, 34, 50, 101, 152"),
        (
            ("anatomy", "ResNet", "--image", "3,224"),
            "write whole numbers above 0 with 'x' between them, such as 3x224x224",
        ),
        (("anatomy", "ResNet", "--set", "width"), "Write FIELD=VALUE"),
    ):
        wrong = run(*words)
        assert wrong.exit_code == 2
        assert told in wrong.stderr
        assert "Traceback" not in wrong.stderr


def test_start_rate_and_script_of_a_recipe(here: Path) -> None:
    (here / "r.toml").write_text(
        'data = "iris"\nepochs = 3\nnetwork = {kind = "MLP", widths = [4, 8, 3]}\noptimizer = "SGD"'
    )
    assert (
        run("start", "r.toml", "--set", "init.kind=He").stdout.splitlines()[1].startswith("layer1")
    )
    rate = json.loads(run("rate", "r.toml", "--json").stdout)
    assert rate["rate"] == rate["threshold"] / 2
    assert "--set optimizer.lr=" in run("rate", "r.toml").stdout
    done = run("script", "r.toml", "-o", "plain.py")
    assert done.exit_code == 0, done.stderr
    ran = subprocess.run([sys.executable, "plain.py"], capture_output=True, text=True, timeout=120)
    assert "test accuracy" in ran.stdout
    assert (here / "weights.pt").is_file()
    assert run("script", "r.toml", "-o", "plain.py").exit_code == 2
    assert "has no plain form" in run("script", "r.toml", "--set", "optimizer.kind=Muon").stderr


def test_a_text_is_learned_from_a_recipe_and_written(here: Path) -> None:
    (here / "song.txt").write_text("do re mi fa " * 100)
    (here / "r.toml").write_text(
        'epochs = 3\ndata = {kind = "text", path = "song.txt", length = 12}\n'
        'network = {kind = "GRU", symbols = 9, features = 4, units = 8, outputs = 9, answers = "each"}'
    )
    assert run("train", "r.toml").exit_code == 0
    written = run("write", the_run().name, "--prompt", "do re", "--length", "20")
    assert written.stdout.startswith("do re")
    assert len(written.stdout) == 26


def test_another_kind_of_part_comes_with_its_own_defaults(here: Path) -> None:
    (here / "r.toml").write_text(
        'data = "iris"\nepochs = 1\nnetwork = {kind = "MLP", widths = [4, 3]}\noptimizer = {kind = "SGD", momentum = 0.5}'
    )
    result = run("train", "r.toml", "--set", "optimizer.lr=0.25", "--set", "optimizer.kind=Lion")
    assert result.exit_code == 0, result.output
    assert nw.read_recipe(the_run() / "recipe.toml").optimizer == nw.Lion(lr=0.25)


def test_no_command_runs_code_that_a_word_or_file_names_unasked(here: Path) -> None:
    (here / "trap.py").write_text("raise SystemExit('imported')")
    (here / "r.toml").write_text(
        'data = "iris"\nnetwork = {kind = "CustomNetwork", source = "trap:Net"}'
    )
    for words in (
        ("anatomy", "CustomNetwork", "--set", "source=trap:Net", "--image", "4"),
        ("anatomy", "r.toml"),
        ("start", "r.toml"),
        ("rate", "r.toml"),
    ):
        refused = run(*words)
        assert refused.exit_code == 2
        assert "add --trust-own" in refused.stderr
    assert "paste it into a script yourself" in run("script", "r.toml").stderr
