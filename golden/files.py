"""Small data files that cases read, written with the same content each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "six")


def write_text() -> None:
    """text.txt: 300 words drawn from eleven, the alphabet once, and a line break."""
    g = np.random.default_rng(0)
    drawn = " ".join(WORDS[i] for i in g.integers(len(WORDS), size=300))
    Path("text.txt").write_text(f"abcdefghijklmnopqrstuvwxyz\n{drawn}")


def write_table() -> None:
    """table.csv: numbers, words and gaps; 150 rows; a target of classes and one of numbers."""
    g = np.random.default_rng(1)
    rows = ["size,colour,age,price,kind"]
    for i in range(150):
        size, age = g.normal(), int(g.integers(1, 60))
        colour = ("red", "blue", "")[int(g.integers(3))]
        kind = "old" if age + 10 * size > 30 else "new"
        given = "" if i % 11 == 0 else f"{size:.3f}"
        rows.append(f"{given},{colour},{age},{20 * size - age + (colour == 'red'):.2f},{kind}")
    Path("table.csv").write_text("\n".join(rows) + "\n")


def write_pictures() -> None:
    """pictures/: two classes of 20 small images each."""
    from PIL import Image

    g = np.random.default_rng(2)
    for label, name in enumerate(("dark", "light")):
        folder = Path("pictures") / name
        folder.mkdir(parents=True)
        for i in range(20):
            pixels = g.integers(0, 150, (10, 12, 3)) + 80 * label
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.png")


def write_all() -> None:
    """Every file that a case may read, into the current folder."""
    write_text()
    write_table()
    write_pictures()
