"""netwise export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from cli.command_line import run, run_folder, train

pytestmark = pytest.mark.usefixtures("empty_reports")


def test_a_run_is_written_as_a_file_and_described() -> None:
    folder = train()
    result = run("export", folder.name, "iris.pt2")
    assert result.exit_code == 0
    assert result.stdout.startswith("iris.pt2: inputs input; outputs class, probabilities. ")
    answers = torch.export.load("iris.pt2").module()(torch.tensor([[5.1, 3.5, 1.4, 0.2]]))
    assert answers["probabilities"].shape == (1, 3)
    again = run("export", folder.name, "iris.pt2")
    assert again.exit_code == 2
    assert "iris.pt2 exists already" in again.stderr
    other = run("export", folder.name, "iris.pickle")
    assert other.exit_code == 2
    assert "has to end in .onnx or .pt2. Write iris.onnx." in other.stderr


def test_steps_that_are_left_to_the_caller_are_asked_about() -> None:
    rows = "4,red,cat\n30,black,dog\n" * 20
    Path("pets.csv").write_text("weight,colour,pet\n" + rows)
    assert run("train", "pets.csv", "--target", "pet", "--epochs", "2").exit_code == 0
    name = run_folder().name
    refused = run("export", name, "pets.pt2")
    assert refused.exit_code == 2
    assert "'colour': the code of each word" in refused.stderr
    Path("pets.csv").unlink()
    assert "--rows FILE" in run("export", name, "pets.pt2", "--partial").stderr
    Path("new.csv").write_text("weight,colour\n4.5,red\n,black\n")
    done = run("export", name, "pets.pt2", "--partial", "--rows", "new.csv", "--json")
    document = json.loads(done.stdout)
    assert (document["rows"], document["inputs"]) == (2, ["weight", "colour"])
    assert document["difference"] <= document["tolerance"]
    assert len(document["left"]) == 1
