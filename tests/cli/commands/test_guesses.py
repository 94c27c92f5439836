"""netwise guess, outcome and log."""

from __future__ import annotations

import json
from pathlib import Path

from cli.command_line import run

RECIPE = 'data = "iris"\nnetwork = {kind = "MLP", widths = [4, 8, 3]}\nepochs = 3\n'


def test_a_log_of_settings_tried_by_hand(here: Path) -> None:
    Path("small.toml").write_text(RECIPE)
    assert "has no entry to change yet" in run("guess", "book", "--because", "why not").output
    assert run("guess", "book", "small.toml", "--because", "a first look").exit_code == 0
    second = run("guess", "book", "--because", "the loss fell slowly", "--set", "optimizer.lr=0.05")
    assert "optimizer.lr: 0.001 -> 0.05" in second.output
    assert "helps" in run("outcome", "book", "2", "a larger", "rate", "helps").output
    document = json.loads(run("log", "book", "--json").stdout)
    assert [entry["reason"] for entry in document] == ["a first look", "the loss fell slowly"]
    assert document[1]["outcome"] == "a larger rate helps"
    assert "no guess 7" in run("outcome", "book", "7", "x").output
    assert "has no entry yet" in run("log", "nothing").output
