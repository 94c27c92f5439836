"""Pictures of a run of two inputs, its sensitivity, and the table of penalties."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.command_line import run, run_folder, train

pytestmark = pytest.mark.usefixtures("empty_reports")


@pytest.fixture
def two_inputs(here: Path) -> Path:
    rows = [f"{i % 7},{i % 5},{'a' if i % 7 > i % 5 else 'b'}" for i in range(70)]
    (here / "plane.csv").write_text("\n".join(["u,v,class", *rows]) + "\n")
    words = ("--target", "class", "--epochs", "2", "--no-baselines")
    assert run("train", "plane.csv", *words, "--set", "network.kind=MLP").exit_code == 0
    return run_folder()


def test_regions_and_layers_are_drawn(two_inputs: Path, here: Path) -> None:
    for name, words in (("regions.svg", ()), ("layers.svg", ("--layers",))):
        done = run("plane", str(two_inputs), "--picture", name, *words)
        assert done.exit_code == 0, done.output
        assert (here / name).is_file()


def test_other_data_have_no_plane(here: Path) -> None:
    folder = train()
    refused = run("plane", str(folder), "--picture", "p.png")
    assert refused.exit_code == 2
    assert "only classes of two inputs can be drawn" in refused.output
    result = json.loads(run("sensitivity", str(folder), "--json").stdout)
    assert result["layers"][0]["layer"] == "all layers"
    assert "weights changed" in run("sensitivity", str(folder)).stdout


def test_penalties_are_a_table_and_a_picture(here: Path) -> None:
    done = run("show", "penalties", "--picture", "p.svg")
    assert "with L1" in done.stdout
    assert (here / "p.svg").is_file()
    rows = json.loads(run("show", "penalties", "--json").stdout)
    assert {row["penalty"] for row in rows} == {"none", "L2", "L1"}
