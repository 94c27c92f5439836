"""Numbers as people write them."""

from __future__ import annotations

import polars as pl
import pytest

from netwise.data.tables.number_forms import COMMA, POINT, decimal_votes, numbers


@pytest.mark.parametrize(
    ("texts", "sign", "unit", "wanted"),
    [
        (["1,234E+03", "2,500e-1"], COMMA, "", [1234.0, 0.25]),
        (["10\u202f419,50\u00a0€", "7,25 €"], COMMA, "€", [10419.5, 7.25]),
        (["1\u2009234.5", "12.75"], POINT, "", [1234.5, 12.75]),
        (["12,34,567.5", "(3.5)"], POINT, "", [1234567.5, -3.5]),
    ],
)
def test_the_decimal_sign_is_proved_and_the_numbers_read(
    texts: list[str], sign: str, unit: str, wanted: list[float]
) -> None:
    cells = pl.Series(texts)
    votes = decimal_votes(cells)
    assert votes[sign] > votes[COMMA if sign == POINT else POINT]
    assert numbers(cells, sign, unit).to_list() == wanted


def test_thousands_have_no_exponent() -> None:
    assert numbers(pl.Series(["1,234E+03"]), POINT).to_list() == [None]
