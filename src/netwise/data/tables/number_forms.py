"""Numbers as people write them: decimal comma, thousands, percent, currency, units."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

POINT, COMMA = ".", ","
BELOW, LIMITED = "^[<≤]", "^[<>≤≥]"  # of cells such as <0.5, less than what could be measured
# Blanks of typography (no-break, thin, narrow), and the minus sign of typography, as plain ones.
_BLANKS = "[\u00a0\u2009\u202f\u2007]"
_MINUS = "[\u2212\u2013]"
_CURRENCY = r"\p{Sc}|US\$|[A-Z]{3}|kr\.?|Fr\.?|zł|Kč"
_UNIT = r"%|‰|°\s?[CFK]?|\p{Sc}|[\p{L}µ°²³/]{1,12}\.?"
_DIGITS = r"(?:[0-9][0-9.,'’ ]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"
_LIMIT = r"(?:[<>]=?|[≤≥~≈])"
_BEGIN = rf"^({_LIMIT})?\s*(\()?\s*([-+])?\s*({_CURRENCY})?\s*([-+])?"
_CELL = rf"{_BEGIN}({_DIGITS})\s*(-)?\s*({_UNIT})?\s*(\))?\s*({_UNIT})?$"
FOOTNOTE = r"\s?[*†‡§]{1,3}$"  # behind a number
# By decimal sign: how thousands may be set apart before it.
_GROUPED = {
    POINT: r"[1-9][0-9]{0,2}(?:,[0-9]{2})*,[0-9]{3}|[1-9][0-9]{0,2}(?:,[0-9]{3})+"
    r"|[0-9]{1,3}(?:[ '’][0-9]{3})+",
    COMMA: r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[0-9]{1,3}(?:[ '’][0-9]{3})+",
}
_EXPONENT = r"[eE][-+]?[0-9]+"


def _body(sign: str) -> str:
    s = rf"\{sign}"
    # Nobody writes thousands before an exponent: 1,234E+03 has a decimal comma.
    return rf"^(?:(?:{_GROUPED[sign]})(?:{s}[0-9]*)?|[0-9]*(?:{s}[0-9]*)?(?:{_EXPONENT})?)$"


_BODY = {sign: _body(sign) for sign in (POINT, COMMA)}
# Cells in which a sign can only be the decimal one: not followed by exactly three digits, or after
# a lone zero, or after more than three digits, or after thousands that have the other sign, or
# before an exponent.
_NUMBER_START, _NUMBER_END = r"^[^0-9\p{L},.]*", r"[^0-9\p{L},.]*(?:[A-Z]{3}|kr)?$"


def _proof(sign: str, other: str) -> str:
    s, o = rf"\{sign}", rf"\{other}"
    blanks = "\u00a0\u2009\u202f\u2007"
    start = rf"[0-9 '’{blanks}]*{s}(?:[0-9]{{1,2}}|[0-9]{{4,}})"
    alone = rf"(?:{start}|0?{s}[0-9]+|[0-9]{{4,}}{s}[0-9]+)"
    grouped = rf"[0-9]{{1,3}}(?:{o}[0-9]{{3}})+{s}[0-9]+"
    many = rf"[0-9]{{1,3}}(?:{o}[0-9]{{3}}){{2,}}"
    scientific = rf"[0-9]{s}[0-9]*{_EXPONENT}"
    return rf"{_NUMBER_START}(?:{alone}|{grouped}|{many}|{scientific}){_NUMBER_END}"


PROOFS = {POINT: _proof(POINT, COMMA), COMMA: _proof(COMMA, POINT)}


def decimal_votes(cells: pl.Series) -> dict[str, int]:
    """How many of these texts prove each decimal sign."""
    return {sign: int(cells.str.contains(proof).sum() or 0) for sign, proof in PROOFS.items()}


def is_grouped(cells: pl.Series, sign: str) -> pl.Series:
    """Which texts have the sign once, before their last three digits."""
    digits = rf"[1-9][0-9]{{0,2}}\{sign}[0-9]{{3}}"
    return cells.str.contains(f"{_NUMBER_START}{digits}{_NUMBER_END}").fill_null(False)


def plain_numbers(cells: pl.Series) -> pl.Series:
    """The texts as float64; null where a text is no finite number with a decimal point."""
    import polars as pl  # heavy

    values = cells.cast(pl.Float64, strict=False)
    return values.set(~values.is_finite().fill_null(True), None)


def numbers(cells: pl.Series, decimal: str, unit: str = "") -> pl.Series:
    """The texts as float64; null where a text is no finite number.

    Args:
        cells: texts without blanks around them, or null.
        decimal: the decimal sign.
        unit: what may be written before or after a number, such as "%", "€" or "kg".
    """
    import polars as pl  # heavy

    if decimal == COMMA:
        grouped = cells.str.contains(POINT, literal=True).fill_null(False)
        simple = cells.set(grouped, None).str.replace(COMMA, POINT, literal=True)
        values = plain_numbers(simple)
    else:
        values = plain_numbers(cells)
    rest = (values.is_null() & cells.is_not_null()).arg_true()
    if not len(rest):
        return values
    hard = cells.gather(rest)
    unique = hard.unique(maintain_order=True)
    decoded = _decorated(unique, decimal, unit)
    if decoded.null_count() == len(decoded):
        return values
    found = hard.replace_strict(unique, decoded, return_dtype=pl.Float64)
    return values.scatter(rest, found)


def unit_of(cells: pl.Series) -> str:
    """What most of these texts have before or after their number; "" for nothing, or no number."""
    import polars as pl  # heavy

    parts = _parts(cells)
    found = parts.filter(pl.col("digits").is_not_null()).select(
        pl.coalesce("before", "unit").fill_null("").alias("unit")
    )
    if not len(found):
        return ""
    return str(found.to_series().value_counts(sort=True)["unit"][0])


def _parts(cells: pl.Series) -> pl.DataFrame:
    import polars as pl  # heavy

    plain = cells.str.replace_all(_BLANKS, " ").str.replace_all(_MINUS, "-")
    plain = plain.str.replace(FOOTNOTE, "")
    parts = plain.str.extract_groups(_CELL).struct.unnest()
    columns = (
        "limit",
        "opened",
        "sign",
        "before",
        "inner",
        "digits",
        "after",
        "unit",
        "closed",
        "behind",
    )
    parts.columns = list(columns)
    return parts.with_columns(pl.coalesce("unit", "behind").alias("unit"))


def _decorated(cells: pl.Series, decimal: str, unit: str) -> pl.Series:
    """Numbers with thousands, a sign that follows, brackets for a minus, and the unit; half of a
    limit that they are below.

    Source of the half: Hornung, Reed 1990, Estimation of average concentration in the presence of
    nondetectable values.
    """
    import polars as pl  # heavy

    thousands = "[, '’]" if decimal == POINT else "[. '’]"
    digits = pl.col("digits").str.strip_chars()
    value = digits.str.replace_all(thousands, "").str.replace(decimal, ".", literal=True)
    minus = pl.any_horizontal(
        pl.col("sign") == "-",
        pl.col("inner") == "-",
        pl.col("after").is_not_null(),
        pl.col("opened").is_not_null(),
    ).fill_null(False)
    signs = pl.sum_horizontal(pl.col(c).is_not_null() for c in ("opened", "sign", "inner", "after"))
    written = pl.concat_str(pl.col("before", "unit").fill_null(""))
    fits = (
        digits.str.contains(_BODY[decimal])
        & (pl.col("opened").is_null() == pl.col("closed").is_null())
        & (signs <= 1)
        & written.is_in(["", unit])
    )
    parts = _parts(cells).with_columns(value.cast(pl.Float64, strict=False).alias("value"))
    parts = parts.with_columns(pl.when(minus).then(-pl.col("value")).otherwise("value"))
    below = pl.col("limit").str.contains(BELOW).fill_null(False) & (pl.col("value") > 0)
    parts = parts.with_columns(pl.when(below).then(pl.col("value") / 2).otherwise("value"))
    return parts.select(pl.when(fits & pl.col("value").is_finite()).then("value")).to_series()
