"""netwise validate and curve."""

from __future__ import annotations

import json
from pathlib import Path

from cli.command_line import run

RECIPE = 'data = "iris"\nnetwork = {kind = "MLP", widths = [4, 8, 3]}\nepochs = 3\n'


def test_validate_and_curve(here: Path) -> None:
    Path("small.toml").write_text(RECIPE)
    document = json.loads(
        run("validate", "small.toml", "--folds", "3", "--jobs", "1", "--json").stdout
    )
    assert len(document["values"]) == 3
    result = run(
        "curve",
        "small.toml",
        "--rows",
        "30,90",
        "--seeds",
        "1",
        "--jobs",
        "1",
        "--picture",
        "curve.svg",
    )
    assert result.exit_code == 0, result.output
    assert "More data" in result.output
    assert (here / "curve.svg").read_text("utf-8").startswith("<svg")
    assert "write whole numbers" in run("curve", "small.toml", "--rows", "a,b").output
