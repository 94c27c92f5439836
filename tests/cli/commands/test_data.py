"""netwise data: what the data hold, before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

import netwise as nw
from cli.command_line import run
from netwise.cli import main

pytestmark = pytest.mark.usefixtures("empty_reports")


def test_a_named_set_and_a_recipe(here: Path) -> None:
    shown = run("data", "iris")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("iris: 150 samples of 4 numbers.")
    nw.write_recipe(nw.suggest(nw.data.iris()), here / "r.toml")
    assert run("data", "r.toml").stdout == shown.stdout
    other = json.loads(run("data", "r.toml", "--set", "data.valid=0.0", "--json").stdout)
    assert other["parts"] == {"train": 120, "valid": 0, "test": 30}
    assert json.loads(run("data", "iris", "--set", "data.test=0.0", "--json").stdout)["parts"] == {
        "train": 120,
        "valid": 30,
        "test": 0,
    }


def test_a_table_without_a_target(here: Path) -> None:
    rows = "".join(f"{i},{i % 7 / 2},{'ab'[i % 2]}\n" for i in range(50))
    (here / "t.csv").write_text("id,x,\x1b[2Jy\n" + rows)
    shown = run("data", "t.csv")
    assert shown.exit_code == 0, shown.output
    assert "t.csv: 50 rows of 3 columns." in shown.stdout
    assert "identifier" in shown.stdout
    assert "\x1b" not in shown.output
    assert len(json.loads(run("data", "t.csv", "--json").stdout)["columns"]) == 3
    assert run("data", "t.csv", "--set", "data.valid=0.1").exit_code == 2


def test_parts_in_files_of_their_own(here: Path) -> None:
    for name, rows in (("train", 50), ("valid", 20), ("test", 10)):
        lines = "".join(f"{i / 7},{'ab'[i % 2]}\n" for i in range(rows))
        (here / f"{name}.csv").write_text("x,y\n" + lines)
    own = ("--valid-file", "valid.csv", "--test-file", "test.csv")
    shown = run("data", "train.csv", "--target", "y", *own, "--json")
    assert json.loads(shown.stdout)["parts"] == {"train": 50, "valid": 20, "test": 10}


def test_a_wide_table_is_listed_whole_where_that_is_asked_for(here: Path) -> None:
    names = [f"x{i}" for i in range(60)]
    rows = [",".join(str((i * j) % 17 / 4) for j in range(1, 61)) for i in range(40)]
    (here / "wide.csv").write_text("\n".join([",".join(names), *rows]))
    assert "and 20 more columns" in run("data", "wide.csv").stdout
    assert "x59" in run("data", "wide.csv", "--all").stdout


@pytest.mark.filterwarnings("default")
def test_options_of_pictures(here: Path) -> None:
    for name, grey in (("day", 220), ("night", 20)):
        for i in range(5):
            path = here / "photos" / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4), grey + i).save(path)
    (here / "photos" / "day" / "cut.png").write_bytes(b"")
    assert "leave out all such files: --skip-broken" in run("data", "photos").stderr
    shown = run("data", "photos", "--skip-broken", "--size", "8x6")
    assert shown.exit_code == 0, shown.output
    assert "photos: 10 samples of 3 x 8 x 6 numbers." in shown.stdout
    assert "1 broken image file:" in " ".join(shown.stdout.split())
    refused = run("data", "digits", "--size", "8")
    assert "--size: digits has no files of pictures" in refused.stderr


@pytest.mark.parametrize("command", ["data", "train", "search", "validate", "curve"])
def test_a_command_with_a_source_can_say_how_its_data_are_read(command: str) -> None:
    options = {option for each in main.commands[command].params for option in each.opts}
    assert {"--target", "--sep", "--kind", "--time", "--size", "--skip-broken"} <= options


def test_words_that_cannot_be_used(here: Path) -> None:
    assert "unknown data set 'iriss'" in run("data", "iriss").stderr
    assert run("data", "nowhere.csv").exit_code == 2
    nw.write_recipe(nw.suggest(nw.data.iris()), here / "r.toml")
    assert "names its own data and target" in run("data", "r.toml", "--target", "y").stderr


def test_splits_of_a_table(here: Path) -> None:
    rows = "".join(f"{i % 10},{1900 + i},{i % 7 / 2},{'ab'[i % 2]}\n" for i in range(60))
    (here / "t.csv").write_text("patient,year,x,y\n" + rows)
    plain = run("data", "t.csv", "--target", "y").stdout
    assert "--time year" in " ".join(plain.split())
    assert "--group patient" in " ".join(plain.split())
    timed = run("data", "t.csv", "--target", "y", "--time", "year").stdout
    assert "by the time in `year`, earlier rows first" in " ".join(timed.split())
    assert "--time" not in timed
    trained = run("train", "t.csv", "--target", "y", "--group", "patient", "--epochs", "1")
    assert trained.exit_code == 0, trained.output
    assert "whole groups of `patient`" in " ".join(trained.stderr.split())
    refused = run("data", "t.csv", "--time", "year")
    assert "--time year changes data that are split, which needs a target" in refused.stderr
    assert run("train", "digits", "--time", "year").exit_code == 2
