"""netwise check, anatomy, start and rate."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.command_line import run, train

pytestmark = pytest.mark.usefixtures("empty_reports")


def test_check_prints_grades_table_and_reasons() -> None:
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
        "cannot run: network.widths = [4, 9, 2]  ends in 2 outputs, and the data have 3 classes. "
        "Write [4, 9, 3]." in bad.stdout
    )
    badly = run("check", str(folder / "recipe.toml"), "--set", "network.output=Softmax")
    assert badly.exit_code == 0
    assert "will learn badly: network.output = Softmax" in badly.stdout


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
    for words, message in (
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
        assert message in wrong.stderr
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
    assert (
        "cannot be written as a script"
        in run("script", "r.toml", "--set", "optimizer.kind=Muon").stderr
    )


def test_no_command_runs_code_that_a_file_names_unless_trusted(here: Path) -> None:
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
