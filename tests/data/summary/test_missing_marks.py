"""Numbers such as -999 that mark missing values are told from measured ones."""

from __future__ import annotations

import polars as pl
import pytest

import netwise as nw
from netwise.data.summary.missing_marks import missing_marks


@pytest.mark.parametrize(
    ("values", "mark"),
    [
        ([i / 8 for i in range(90)] + [-999.0] * 9, ("-999", 9)),
        ([i % 27 for i in range(90)] + [999] * 200, ("999", 200)),
        ([i / 8 for i in range(90)] + [-999.0], None),  # a single one may be a mistake
        ([i * 100 for i in range(90)] + [9999] * 9, None),  # near the others
        ([i % 2 for i in range(90)] + [-9] * 9, None),  # codes of an answer
        ([i / 8 for i in range(90)] + [-500.0] * 9, None),  # nobody writes that for a gap
    ],
)
def test_marks(values: list[float], mark: tuple[str, int] | None) -> None:
    found = missing_marks(pl.DataFrame({"x": values}), {"x": "number"})
    assert found == ({} if mark is None else {"x": mark})


def test_the_advice_is_what_makes_them_gaps() -> None:
    rows = {"x": [i / 8 for i in range(90)] + [-999.0] * 9, "t": ["a", "b", "c"] * 33}
    advice = nw.data.csv(rows, "t").summary().advice
    assert "--na -999" in " ".join(advice)
    summary = nw.data.csv(rows, "t", na=("-999",)).summary()
    assert summary.columns[0].gaps == 9
    assert "--na" not in " ".join(summary.advice)
