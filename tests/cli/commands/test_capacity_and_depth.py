"""The commands that test size and depth, and the learning-rate range test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import netwise as nw
from cli.command_line import run


@pytest.fixture
def recipe(here: Path) -> str:
    network = nw.MLP((4, 8, 8, 3))
    nw.write_recipe(nw.Recipe(data=nw.data.iris(), network=network, epochs=4), here / "r.toml")
    return "r.toml"


def test_a_range_of_rates_and_its_curve(recipe: str, here: Path) -> None:
    done = run("rate", recipe, "--range", "--picture", "range.svg")
    assert "begins to fall at a learning rate of" in done.stdout
    assert "--set optimizer.lr=" in done.stdout
    assert (here / "range.svg").is_file()
    found = json.loads(run("rate", recipe, "--range", "--json").stdout)
    assert len(found["rates"]) == len(found["losses"]) > 100
    again = run("rate", recipe, "--picture", "other.svg")
    assert again.exit_code == 2
    assert "--range --picture other.svg" in again.output


def test_capacity_prints_each_size_and_the_verdict(recipe: str) -> None:
    done = run("capacity", recipe, "--rows", "5,60", "--jobs", "1")
    assert "       5 samples:" in done.stdout
    assert "accuracy" in done.stdout
    found = json.loads(run("capacity", recipe, "--rows", "5,60", "--jobs", "1", "--json").stdout)
    assert found["rows"] == [5, 60]
    assert found["verdict"] in ("fits all", "too small", "fits nothing", "partly")
    wrong = run("capacity", recipe, "--rows", "five")
    assert wrong.exit_code == 2
    assert "such as 50,400" in wrong.output


def test_depth_compares_networks_of_equal_size(recipe: str) -> None:
    done = run("depth", recipe, "--jobs", "1", "--set", "epochs=1")
    for word in ("given", "deeper", "wider", "shallower", "95 % interval"):
        assert word in done.stdout
