"""Scripts of tables read the file as it was read, and say which tables they do not read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import netwise as nw

ROWS = [(i % 7, "red" if i % 3 else "blue", i * 0.5, "ab"[i % 2]) for i in range(60)]


def recipe(path: Path, **options: Any) -> nw.Recipe:
    data = nw.data.csv(path, target="kind", **options)
    return nw.Recipe(data=data, network=nw.MLP((4, 2)), optimizer=nw.SGD(), epochs=1)


def written(path: Path, sep: str, quote: str = "") -> Path:
    lines = [sep.join(["x", "colour", "z", "kind"])]
    lines += [sep.join([str(a), f"{quote}{b}{quote}", str(c), d]) for a, b, c, d in ROWS]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("sep", "quote", "said"),
    [
        ("|", "", "delimiter='|'"),
        ("\t", "", "delimiter='\\t'"),
        (";", "'", 'quotechar="\'"'),
        ("  ", "", '" ".join(line.split())'),
    ],
    ids=["bar", "tab", "quotes", "blanks"],
)
def test_the_dialect_is_that_of_the_file(tmp_path: Path, sep: str, quote: str, said: str) -> None:
    script = recipe(written(tmp_path / "t.csv", sep, quote)).to_script()
    assert said in script
    compile(script, "script.py", "exec")
    reading = script[script.index("content = Path(") : script.index("cells = dict(")]
    names: dict[str, Any] = {}
    exec("import csv, io\nfrom pathlib import Path\n" + reading, names)
    assert [[cell.strip() for cell in row] for row in names["rows"]] == [
        [str(a), b, str(c), d] for a, b, c, d in ROWS
    ]


def test_tables_that_are_no_text_and_parts_of_ones_own_are_refused(tmp_path: Path) -> None:
    frame = pl.DataFrame(ROWS, schema=["x", "colour", "z", "kind"], orient="row")
    frame.write_parquet(tmp_path / "t.parquet")
    with pytest.raises(nw.WrongValue, match="save it as CSV"):
        recipe(tmp_path / "t.parquet").to_script()
    file = written(tmp_path / "t.csv", ",")
    with pytest.raises(nw.WrongValue, match=re.escape("data.test_file")):
        recipe(file, test_file=str(file)).to_script()
