"""Tables for the tests of data."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest


def write_table(path: Path, rows: int = 300, seed: int = 0) -> Path:
    draw = random.Random(seed)
    lines = ["age,town,score,label"]
    for _ in range(rows):
        town = draw.choice(["Bern", "Rom", "Wien", ""])
        age = "" if draw.random() < 0.1 else f"{draw.gauss(40, 12):.2f}"
        score = f"{draw.random() * 1000:.1f}"
        lines.append(f"{age},{town},{score},{'yes' if float(score) > 500 else 'no'}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def table() -> Callable[..., Path]:
    """Writes a table of two columns of numbers (one with gaps), one of words (with gaps) and a
    label; `table(path, rows=300, seed=0)` gives the path."""
    return write_table
