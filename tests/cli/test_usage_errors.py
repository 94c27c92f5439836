"""Mistakes on the command line: a sentence that says what to write, exit code 2, nothing left
behind; and those that the words alone show are answered without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.command_line import run, train

MISTAKES = [  # (words, part of the message)
    (("trian",), "unknown command 'trian'. Did you mean `train` or `treat`?"),
    (("train",), "train needs either SOURCE"),
    (("train", "digitz"), "unknown data set 'digitz'. Did you mean `digits`?"),
    (("train", "fold"), "unknown data set 'fold'. There are: digits, iris,"),
    (("train", "digits", "--network", "mpl"), "unknown network 'mpl'. Did you mean `mlp`?"),
    (("train", "digits", "--set", "epochs"), "Write FIELD=VALUE, such as optimizer.lr=0.01"),
    (("train", "digits", "--target", "x"), "the data set digits has its own target. Leave"),
    (("train", "digits", "--speedups", "captured"), "unknown speedup 'captured'. Did you mean `ca"),
    (("train", "--resume", "x", "--speedups", "none"), "a resumed run keeps its recipe"),
    (("train", "r.toml", "--target", "x"), "change the recipe's: --set data.target=x"),
    (("train", "r.toml", "--network", "mlp"), "a recipe has its own network. Leave --network out"),
    (("train", "pets.csv"), "Write --target COLUMN, one of: weight, pet"),
    (("train", "absent.csv"), "absent.csv does not exist (looked in "),
    (("train", "photos", "--target", "x"), "in a folder of images each subfolder is a class"),
    (("train", "--resume", "x"), "there is no run x, because runs holds no runs yet. Train one"),
    (("train", "--resume", "@last"), "@last: runs holds no runs yet. Train one: netwise train"),
    (("train", "digits", "--resume", "x"), "train needs either SOURCE"),
    (("train", "--resume", "x", "--epochs", "3"), "a resumed run keeps its recipe"),
    (("diagnose", "x"), "there is no run x"),
    (("show", "@best"), "@best: runs holds no runs yet"),
    (("show", "x", "--picture", "a.png"), "and `netwise show penalties` draw a picture"),
    (("predict", "x", "new.csv"), "there is no run x"),
    (("write", "x"), "there is no run x"),
    (("treat", "x"), "there is no run x"),
    (("watch", "absent.py"), "absent.py does not exist (looked in "),
    (("watch", "photos"), "photos is a folder without a __main__.py"),
    (("watch", "-m", "absent"), "-m absent: there is no such module"),
    (("lab", "L999"), "unknown lab 'L999'."),
    (("lab", "sigmiod", "neuron"), "Did you mean `sigmoid` for sigmiod?"),
    (("lab", "zzz"), "List all labs: netwise lab"),
    (("rate", "r.toml", "--start", "0"), "a learning rate has to be above 0. Write --start 0.01"),
    (("anatomy", "ResNet", "--image", "3,224"), "write whole numbers above 0 with 'x' between"),
    (("anatomy", "ResNet", "--set", "depth"), "Write FIELD=VALUE"),
    (("anatomy", "LeNet5", "--picture", "a.txt"), "its name has to end in .png or .svg"),
    (("script", "r.toml", "-o", "pets.csv"), "pets.csv exists already"),
    (("check", "r.toml", "--set", "=3"), "Write FIELD=VALUE"),
    (("start", "r.toml", "--set", "x"), "Write FIELD=VALUE"),
    (("search",), "search needs either SPACE.toml, FILE.csv with --target"),
    (("search", "--resume", "x", "--set", "epochs=2"), "a resumed search keeps its recipe"),
    (("search", "--resume", "@last"), "@last: runs holds no search. Start one: netwise search"),
    (("validate", "digitz"), "Did you mean `digits`?"),
    (("curve", "digits", "--rows", "a,b"), "write whole numbers above 0 with ',' between them"),
    (("guess", "log", "--because", "why not"), "the log log has no entry to change yet. Name a"),
    (("outcome", "log", "7", "x"), "no guess 7"),
]
MISTAKES_IN_VALUES = [  # the package itself has to read them
    (("train", "digits", "--set", "optimizer.lrr=1"), "lrr  unknown field. Did you mean `lr`?"),
    (("train", "digits", "--set", "epochs=none"), "epochs = 'none'  must be a whole number"),
    (("train", "digits", "--set", "epochs.x=3"), "epochs is 100, not a table"),
    (("train", "absent.toml"), "cannot be read: No such file"),
    (("train", "absent.csv", "--target", "x"), "absent.csv is not there"),
    (("treat", "x.toml"), "cannot be read"),
    (("train", "digits", "--threads", "0"), "threads = 0  must be at least 1"),
    (("train", "digits", "--device", "cuda:99"), "finds no CUDA device"),
    (("anatomy", "resnett"), "Did you mean `ResNet`"),
    (("anatomy", "ResNet", "--set", "depth=51"), "must be one of 18, 34, 50, 101, 152"),
]


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    (here / "pets.csv").write_text("weight,pet\n4,cat\n30,dog\n")
    (here / "photos").mkdir()
    (here / "r.toml").write_text('data = "iris"\nnetwork = {kind = "MLP", widths = [4, 3]}\n')


@pytest.mark.parametrize(
    ("words", "message"),
    [*MISTAKES, *MISTAKES_IN_VALUES],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_answered_with_a_sentence_and_2(words: tuple[str, ...], message: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split(" "))
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert not list(Path.cwd().glob("runs/*/*"))  # nothing is left behind


WITHOUT_TORCH = """
import sys
from click.testing import CliRunner
from netwise.cli import main
for words, code in {commands!r}:
    result = CliRunner().invoke(main, words)
    loaded = {{"torch", "numpy", "optuna", "scipy", "sklearn"}} & set(sys.modules)
    assert not loaded, (words, loaded)
    assert result.exit_code == code, (words, result.output, result.exception)
print("checked")
"""


def checked_without_torch(commands: list[tuple[tuple[str, ...], int]]) -> str:
    """Run commands one after another in a new process, which fails when one loads torch."""
    code = WITHOUT_TORCH.format(commands=commands)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "checked\n", done.stderr
    return done.stdout


def test_mistakes_in_words_are_answered_without_torch() -> None:
    checked_without_torch([(words, 2) for words, _ in MISTAKES])


def test_runs_labs_logs_and_ended_runs_are_shown_without_torch() -> None:
    folder = train()
    assert run("guess", "log", "r.toml", "--set", "epochs=2", "--because", "x").exit_code == 0
    reading = [
        ("--help",),
        ("--version",),
        ("runs",),
        ("runs", "--json"),
        ("lab",),
        ("lab", "--json"),
        ("notes",),
        ("notes", "--json"),
        ("errata",),
        ("published",),
        ("published", "lenet5"),
        ("log", "log"),
        ("log", "log", "--json"),
        ("outcome", "log", "1", "too short"),
        ("show", folder.name),
        ("show", "@last", "--json"),
        ("diagnose", "@best"),
        ("train", "--help"),
    ]
    checked_without_torch([(words, 0) for words in reading])
