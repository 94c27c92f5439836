"""Dates as people write them."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from netwise.data.tables.date_forms import dates, find_form


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["2023-01-31 24:00:00", "2023-01-31 06:00:00"], ["2023-02-01", "2023-01-31 06:00"]),
        (["2023-12-31T24:00Z", "2023-12-31T06:00Z"], ["2024-01-01", "2023-12-31 06:00"]),
        (["2023-W01", "2023-W52"], ["2023-01-02", "2023-12-25"]),
        (["2020-W53-7", "2021-W01-1"], ["2021-01-03", "2021-01-04"]),
        (["Mär 2023", "Okt 2023"], ["2023-03-01", "2023-10-01"]),
        (["1 January 2023", "2 March 2023"], ["2023-01-01", "2023-03-02"]),
        (["5 gennaio 2023", "6 dicembre 2023"], ["2023-01-05", "2023-12-06"]),
        (["1. Januar 2024", "3. März 2024"], ["2024-01-01", "2024-03-03"]),
        (["4 janv. 2024", "12 févr. 2024"], ["2024-01-04", "2024-02-12"]),
        (["12. Sept. 2024", "1. Dez. 2024"], ["2024-09-12", "2024-12-01"]),
        (
            ["2024-05-31 2:30 p.m.", "2024-05-31 2:30 a.m."],
            ["2024-05-31 14:30", "2024-05-31 02:30"],
        ),
        (["Mar 24 2024", "Apr 2 2024"], ["2024-03-24", "2024-04-02"]),
        (["12 mei 2024", "3 maart 2024"], ["2024-05-12", "2024-03-03"]),
    ],
)
def test_a_form_is_found_and_read(texts: list[str], wanted: list[str]) -> None:
    cells = pl.Series(texts)
    read = dates(cells, find_form(cells))
    assert read.to_list() == [datetime.fromisoformat(each) for each in wanted]
