"""Tables as people have them: what comes out is what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw
from netwise.data.tables import ReadOptions, TableReading, read_table


def read(folder: Path, content: str | bytes, **options: object) -> TableReading:
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, ReadOptions(**options))  # type: ignore[arg-type]


def test_a_german_table(tmp_path: Path) -> None:
    reading = read(tmp_path, "ort;preis\nKöln;1.250,50\nBonn;980,00\nUlm;1.000\n".encode("cp1252"))
    assert reading.frame["preis"].to_list() == [1250.5, 980.0, 1000.0]
    assert reading.frame["ort"].to_list() == ["Köln", "Bonn", "Ulm"]


@pytest.mark.parametrize("cell", ["inf", "12O", "one"])
def test_one_cell_that_does_not_fit_is_named(tmp_path: Path, cell: str) -> None:
    content = "x,y\n" + "".join(f"{cell if i == 7 else i / 3},a\n" for i in range(100))
    with pytest.raises(nw.DataError, match=f"column 'x', row 8: '{cell}' is no number. Correct"):
        read(tmp_path, content)
    reading = read(tmp_path, content, bad_cells="missing")
    assert reading.column("x").misfits == 1
    assert reading.frame["x"].null_count() == 1
