"""What each column of a table is, decided from all of its cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from netwise.data.tables.column_cells import ColumnCells, Decided, shown, text_cells
from netwise.data.tables.date_forms import MILLISECONDS, SECONDS, dates, find_form, other_form
from netwise.data.tables.kinds import (
    BOOLEAN,
    CATEGORY,
    DATE,
    EMPTY,
    IDENTIFIER,
    NUMBER,
    TEXT,
    WHOLE,
    ColumnReading,
)
from netwise.data.tables.number_forms import (
    COMMA,
    FOOTNOTE,
    LIMITED,
    POINT,
    decimal_votes,
    is_grouped,
    numbers,
    unit_of,
)
from netwise.data.tables.options import ReadOptions
from netwise.data.tables.quantities import INTO, common_base, quantities
from netwise.data.tables.typing_cells import TRUTH, as_kind

if TYPE_CHECKING:
    import polars as pl

FEW = 0.05  # share of cells that do not fit, below which they are mistakes
ONE_MISTAKE = 10  # cells that fit, from which on a single other one is a mistake
EXACT = 2**53  # whole numbers up to here are exact as float64
FIRST_CELLS = 1000  # of a column: those that show a decimal sign mostly do so here
FEW_NUMBERS = 2  # different ones, from which on they are no accident
SIGN_NAMES = {POINT: "point", COMMA: "comma"}
_BELOW_THOUSAND = r"^[-+]?[1-9][0-9]{0,2}$"
FIRST = 20  # different cells that tell whether all are worth a look
PLACEHOLDERS = 3  # different words beside numbers that may stand for a missing value
# Forms of dates that look like numbers: from, to, the pattern of a cell, and how many different
# ones are no accident (one number in eight ends in a month).
_NUMBERS_AS_DATES = (
    ("%Y%m%d", 19e6, 21e6, "", 2),
    ("%Y%m%d%H%M%S", 19e12, 21e12, r"^[0-9]{14}$", 2),
    ("%Y%m", 190_001, 210_012, r"^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])$", 6),
    ("%m.%Y", 1.19, 12.22, r"^(?:0?[1-9]|1[0-2])\.(?:19|20)[0-9]{2}$", 2),
)
_TIME_NAME = re.compile(
    r"(?i)(?:^|[\s_.-])(?:time|timestamp|ts|epoch|unix|unixtime|date|datetime|zeit|zeitstempel)s?"
    r"(?:$|[\s_.-])|_at$|(?-i:[a-z](?:At|Time|Date)$)"
)
DIFFERENT = 20  # values from which on a column has many of them
_ID_NAME = re.compile(
    r"(?i)(?:^|[\s_.#-])(?:ids?|uuid|guid|index|idx|rowid|rownum|rownames)$|^#$|^id[\s_.#-]"
    r"|(?-i:[a-z](?:ID|Id))$"
)
_NUMBER_NAME = re.compile(r"(?i)(?:^|[\s_.#-])(?:key|nr|no|num|number|nummer|code|row)\.?$")
_NO_NAME = re.compile(r"^(?:Unnamed: ?[0-9]+|column[0-9]+|)$")
# Some scripts have no blanks between words, which have about two characters there.
_ONE_WORD = (
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}]{2}"
    r"|[^\s\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}]+"
)


def file_decimal(columns: Sequence[ColumnCells], sep: str = "") -> str:
    """The decimal sign that most columns of numbers prove. Without a proof it is the point, but the
    comma where semicolons are between the cells and numbers have commas, or points before their
    last three digits only."""
    semicolons = sep == ";"
    if not any(map(_may_have_comma, columns)) and (
        not semicolons or _most(columns, FIRST_CELLS) == POINT
    ):
        return POINT
    found = _most(columns)
    if found or not semicolons:
        return found or POINT
    grouped = any(is_grouped(column.cells, sign).any() for column in columns for sign in ",.")
    return COMMA if grouped else POINT


def _may_have_comma(column: ColumnCells) -> bool:
    """Whether a word has a comma, or points between thousands."""
    return column.has(COMMA) or bool(decimal_votes(column.words)[COMMA])


def _most(columns: Sequence[ColumnCells], rows: int | None = None) -> str:
    """The decimal sign that most columns prove by so many of their first cells; "" for neither."""
    each = [column.cells if rows is None else column.cells.head(rows) for column in columns]
    votes = [decimal_votes(cells) for cells in each]
    for_comma = sum(vote[COMMA] > vote[POINT] for vote in votes)
    for_point = sum(vote[POINT] > vote[COMMA] for vote in votes)
    if for_comma == for_point:
        return POINT if for_point else ""
    return COMMA if for_comma > for_point else POINT


def _has(column: pl.Series, sign: str) -> bool:
    return bool(column.str.contains(sign, literal=True).any())


def decide(
    column: pl.Series,
    options: ReadOptions,
    *,
    told: ColumnCells | None = None,
    usual: str = POINT,
    target: bool = False,
) -> Decided:
    """What a column is.

    Args:
        column: its cells, texts or of another type.
        options: with words for gaps, the decimal sign, and kinds that are given.
        told: the same cells, where they are texts.
        usual: the decimal sign of the file, for columns that show none.
        target: the column is to be predicted: its words are never taken for gaps.
    """
    given = dict(options.kinds).get(column.name)
    if given is not None:
        return _as_given(column, given, options, usual)
    if told is None:
        return _of_type(column, target)
    if told.gaps == told.rows:
        return _empty(column.name, told.rows)
    sign, why = _decimal(told, options.decimal, usual)
    found = (
        _as_days(told)
        or _as_quantities(told, sign)
        or _as_numbers(told, sign, why)
        or _as_truth(told)
        or _as_dates(told)
    )
    if found is None and target:
        told = text_cells(column, options.na, target=True, gap_words=False)
    return found or _as_words(told)


def _empty(name: str, rows: int) -> Decided:
    import polars as pl  # heavy

    reading = ColumnReading(name, EMPTY, "it has no value", rows, rows, 0)
    return Decided(reading, pl.Series(name, [None] * rows, pl.String))


def _as_given(column: pl.Series, kind: str, options: ReadOptions, usual: str) -> Decided:
    """The column as a kind that the user names."""
    import polars as pl  # heavy

    if column.dtype != pl.String:
        kind = DATE if kind.startswith(DATE) else kind
        values = as_kind(column, kind)
        told = _typed_cells(column, False)
        return told.decided(told.reading(kind, "it is given", values), values, kind)
    told = text_cells(column, options.na)
    form = ""
    if kind in (NUMBER, WHOLE):
        sign = _decimal(told, options.decimal, usual)[0]
        base = common_base(told.cells.drop_nulls().unique(), sign)
        unit = f"{INTO}{base}" if base else unit_of(told.words.head(1000))
        form = f"{sign} {unit}".strip()
    if kind.startswith(DATE):
        kind, _, form = kind.partition(" ")
        form = form or find_form(told.cells.drop_nulls())
    values = as_kind(column, kind, form, options.na)
    return told.decided(told.reading(kind, "it is given", values, form), values, kind)


def _of_type(column: pl.Series, target: bool) -> Decided:
    """A column of numbers, truth values or dates, as its source has it."""
    import polars as pl  # heavy

    if column.null_count() == len(column):
        return _empty(column.name, len(column))
    told = _typed_cells(column, target)
    source = f"its type is {column.dtype}"
    if column.dtype == pl.Boolean:
        return told.decided(told.reading(BOOLEAN, source, column), column, "truth value")
    if column.dtype == pl.Datetime:
        return told.decided(told.reading(DATE, source, column), column, "date")
    values = column.set(~column.is_finite(), None) if column.dtype == pl.Float64 else column
    form = "" if target else _since_1970(column.name, values.drop_nulls())
    if form:
        instants = dates(values, form)
        reason = f"its name is that of a time, and its cells are {form}"
        return told.decided(told.reading(DATE, reason, instants, form), instants, "date")
    return _numeric(told, values, source, POINT)


def _typed_cells(column: pl.Series, target: bool) -> ColumnCells:
    import polars as pl  # heavy

    return ColumnCells(column.name, column, pl.Series([], dtype=pl.String), column, target)


def _decimal(column: ColumnCells, given: str | None, usual: str) -> tuple[str, str]:
    if given:
        return given, "as given"
    if usual == COMMA or _may_have_comma(column):
        votes = decimal_votes(column.cells)
        if votes[COMMA] != votes[POINT]:
            return (COMMA if votes[COMMA] > votes[POINT] else POINT), "its cells show it"
    for thousands, sign in ((POINT, COMMA), (COMMA, POINT)):
        if _shows_thousands(column, thousands):
            name = SIGN_NAMES[thousands]
            return sign, f"each number with a {name} has it before three digits, beside whole ones"
    return usual, "as in the rest of the file"


def _shows_thousands(column: ColumnCells, sign: str) -> bool:
    """Whether a sign is between thousands: each number that has it has it before its last three
    digits, and others are whole ones below 1,000. Of decimals, some would have fewer digits."""
    if sign == POINT and (column.plain == column.plain.round()).all():
        return False  # no plain number has a point: the quick answer for most columns
    if any(decimal_votes(column.cells.head(FIRST_CELLS)).values()):
        return False
    present = column.cells.drop_nulls()
    grouped = is_grouped(present, sign)
    below = present.str.contains(_BELOW_THOUSAND)
    others = present.filter(~grouped & ~below)
    return (
        present.filter(grouped).n_unique() >= FEW_NUMBERS
        and present.filter(below).n_unique() >= FEW_NUMBERS
        and bool((others == "0").all())
    )


def are_mistakes(fit: int, misfit: int) -> bool:
    """Whether so many cells that do not fit are mistakes in a column of the others."""
    return not misfit or misfit < FEW * (fit + misfit) or (misfit == 1 and fit >= ONE_MISTAKE)


def _as_quantities(column: ColumnCells, sign: str) -> Decided | None:
    """Cells with units of several sizes, such as 2 h beside 30 min, as numbers in one of them."""
    if not len(column.words) or not common_base(column.words.head(FIRST), sign, alone=True):
        return None
    base = common_base(column.cells.drop_nulls().unique(maintain_order=True), sign)
    if not base:
        return None
    values = quantities(column.cells, sign, base)
    fit = len(values) - values.null_count()
    reason = f"all {fit:,} cells with a value are numbers with units, read in {base}"
    return _numeric(column, values, reason, f"{sign} {INTO}{base}")


def _as_numbers(column: ColumnCells, sign: str, why: str) -> Decided | None:
    unit = ""
    values = column.plain
    if len(column.words) or sign == COMMA:
        values = numbers(column.cells, sign)
    fit = len(values) - values.null_count()
    if fit < column.held and not are_mistakes(fit, column.held - fit):
        unit = unit_of(column.words.head(1000))
        if unit:
            values = numbers(column.cells, sign, unit)
    values = _without_doubtful(column, values, sign)
    fit = len(values) - values.null_count()
    misfit = column.held - fit
    if not fit or not are_mistakes(fit, misfit):
        return _without_placeholders(column, values, sign)
    limited = column.cells.str.contains(LIMITED).fill_null(False)
    if limited.any() and not _has_measured(column, values, limited):
        return None
    if not misfit and not column.target and _too_long(column, values):
        return None
    if not misfit and not column.target and (code := _code(column)):
        return code
    reason = f"all {fit:,} cells with a value are numbers"
    if misfit:
        reason = f"{fit:,} cells are numbers, and {misfit:,} are not"
    if sign == COMMA and column.has(COMMA):
        reason += f", with a decimal comma ({why})"
    if sign == COMMA and is_grouped(column.cells, POINT).any():
        reason += f", with points between thousands ({why})"
    if unit:
        reason += f", in {unit}{_without_unit(column, unit)}"
    if len(column.words) and (notes := int(column.cells.str.contains(FOOTNOTE).sum() or 0)):
        reason += f"; marks of footnotes behind {notes:,} of them are left out"
    if limits := int(limited.sum()):
        reason += f"; {limits:,} are limits, half of which is taken where it is an upper one"
    return _numeric(column, values, reason, f"{sign} {unit}".strip())


def _has_measured(column: ColumnCells, values: pl.Series, limited: pl.Series) -> bool:
    """Whether more different numbers are measured than are limits: else <18 and >65 are groups."""
    limits = values.filter(limited).n_unique()
    return values.filter(~limited).drop_nulls().n_unique() > limits


def _without_unit(column: ColumnCells, unit: str) -> str:
    """How many numbers have no unit beside others that have one."""
    bare = column.held - int(column.cells.str.contains(unit, literal=True).sum() or 0)
    return f" ({bare:,} of them without it)" if 0 < bare < column.held else ""


def _without_doubtful(column: ColumnCells, values: pl.Series, sign: str) -> pl.Series:
    """Without a few cells such as 1,234 where the others have a decimal point and no thousands:
    whether 1.234 or 1234 is meant cannot be known."""
    other = COMMA if sign == POINT else POINT
    if not (column.has(other) or sign == COMMA) or not _has(column.cells, sign):
        return values
    doubtful = is_grouped(column.cells, other)
    count, fit = int(doubtful.sum()), len(values) - values.null_count()
    both = column.cells.str.contains(other, literal=True).sum()
    if not count or both > count or not are_mistakes(fit - count, count):
        return values
    return values.set(doubtful, None)


def _without_placeholders(column: ColumnCells, values: pl.Series, sign: str) -> Decided | None:
    """Numbers beside few words, each in many cells, such as "unknown": these are gaps."""
    fit = len(values) - values.null_count()
    words = column.cells.filter(values.is_null()).drop_nulls().unique(maintain_order=True)
    if column.target or len(words) > PLACEHOLDERS or 2 * fit < column.held:
        return None
    if values.n_unique() <= DIFFERENT or words.str.contains("[0-9]").any():
        return None
    held = column.cells.set(column.cells.is_in(words.to_list()).fill_null(False), None)
    told = replace(column, cells=held)
    reason = f"{fit:,} cells are numbers, and {column.held - fit:,} are {shown(words)}: gaps"
    return _numeric(told, values, reason, sign)


def _numeric(column: ColumnCells, values: pl.Series, reason: str, form: str) -> Decided:
    """A column of numbers: whole ones, identifiers, or others."""
    import polars as pl  # heavy

    if values.dtype == pl.Float64 and _is_whole(values):
        values = values.cast(pl.Int64)
    kind = WHOLE if values.dtype == pl.Int64 else NUMBER
    if kind == WHOLE and values.null_count() == column.gaps:
        reason = reason.replace(" numbers", " whole numbers", 1)
    reading = column.reading(kind, reason, values, form)
    if reading.kind == WHOLE and _counts_rows(column, values):
        why = "it only numbers the rows: each has another whole number"
        reading = replace(reading, kind=IDENTIFIER, reason=why)
    return column.decided(reading, values, "number")


def _is_whole(values: pl.Series) -> bool:
    present = values.drop_nulls()
    if not len(present) or float(present.abs().max()) >= EXACT:  # type: ignore[arg-type]
        return False
    return bool((present == present.round()).all())


def _counts_rows(column: ColumnCells, values: pl.Series) -> bool:
    """Whether whole numbers only name the rows."""
    if column.target or values.null_count() or not 1 < values.n_unique() == len(values):
        return False
    if _ID_NAME.search(column.name):
        return True
    in_a_row = values.n_unique() == int(values.max() or 0) - int(values.min() or 0) + 1  # type: ignore[arg-type]
    named = _NO_NAME.search(column.name) or _NUMBER_NAME.search(column.name)
    return bool(named) and (
        in_a_row or (len(values) > DIFFERENT and not _NO_NAME.search(column.name))
    )


def _too_long(column: ColumnCells, values: pl.Series) -> bool:
    """Whether digits are too many for a number: as float64, different ones would be equal."""
    if float(values.abs().max() or 0) < EXACT:  # type: ignore[arg-type]
        return False
    return bool(column.cells.drop_nulls().str.contains(r"^[0-9]+$").all())


def _code(column: ColumnCells) -> Decided | None:
    """Digits that are no amount: all of one length, with zeros in front."""
    cells = column.cells.drop_nulls()
    if not cells.str.contains(r"^0[0-9]").any():
        return None
    widths = cells.str.len_chars()
    if widths.min() != widths.max() or not cells.str.contains(r"^[0-9]+$").all():
        return None
    width = len(str(cells[0]))
    reason = f"its cells are codes of {width} digits with zeros in front"
    return column.decided(column.reading(CATEGORY, reason, column.cells), column.cells, "code")


def _as_truth(column: ColumnCells) -> Decided | None:
    import polars as pl  # heavy

    few = len(column.words) <= 2 * len(TRUTH) and column.plain.drop_nulls().is_in([0.0, 1.0]).all()
    words = set(column.words.str.to_lowercase().to_list()) if few else set()
    for true, false in TRUTH:
        if words and words <= {true, false}:
            values = (column.cells.str.to_lowercase() == true) | (column.plain == 1).fill_null(
                False
            )
            beside = ", 0, 1" if column.plain.count() else ""
            reason = f"its cells are {shown(column.words.sort())}{beside}"
            reading = column.reading(BOOLEAN, reason, values)
            return column.decided(reading, values.cast(pl.Boolean), "truth value")
    return None


def _as_dates(column: ColumnCells) -> Decided | None:
    if column.plain.count() > column.held / 2:
        return None
    form = find_form(column.cells.drop_nulls() if column.plain.count() else column.words)
    if not form:
        return None
    values = dates(column.cells, form)
    misfit = values.null_count() - column.gaps
    fit = column.held - misfit
    if not fit or not are_mistakes(fit, misfit):
        return None
    reason = f"all {fit:,} cells with a value are dates, written as {form}"
    other = other_form(form)
    if other and dates(column.cells, other).null_count() == column.gaps:
        reason += f' (each fits {other} too: kinds=["{column.name}=date {other}"])'
    if misfit:
        reason = f"{fit:,} cells are dates, written as {form}, and {misfit:,} are not"
    return column.decided(column.reading(DATE, reason, values, form), values, "date")


def _as_days(column: ColumnCells) -> Decided | None:
    """Dates that look like numbers: 20240531, 20240531143000, 202405, 05.2024, and seconds since
    1970 in a column whose name is that of a time."""
    if len(column.words) or column.target or not column.plain.count():
        return None
    for form, low, high, pattern, different in _NUMBERS_AS_DATES:
        if not column.plain.is_between(low, high).all():
            continue
        if pattern and not column.cells.str.contains(pattern).all():
            continue
        values = dates(column.cells, form)
        if values.null_count() > column.gaps or values.n_unique() < different:
            continue
        reason = f"all {column.held:,} cells with a value are dates, written as {form}"
        return column.decided(column.reading(DATE, reason, values, form), values, "date")
    form = _since_1970(column.name, column.plain)
    if not form:
        return None
    values = dates(column.cells, form)
    reason = f"its name is that of a time, and its cells are {form}"
    return column.decided(column.reading(DATE, reason, values, form), values, "date")


def _since_1970(name: str, numbers: pl.Series) -> str:
    """The form of points in time in a column of numbers: whole ones between 2001 and 2033; ""."""
    if not _TIME_NAME.search(name) or not (numbers == numbers.round()).all():
        return ""
    for form, unit in ((SECONDS, 1), (MILLISECONDS, 1000)):
        if numbers.is_between(1_000_000_000 * unit, 2_000_000_000 * unit).all():
            return form if numbers.n_unique() > 1 else ""
    return ""


def _as_words(column: ColumnCells) -> Decided:
    values = column.cells
    reading = column.reading(CATEGORY, "", values)
    if reading.kind == CATEGORY:
        kind, reason = _kind_of_words(column, reading.distinct)
        reading = replace(reading, kind=kind, reason=reason)
    return column.decided(reading, values, "word")


def _kind_of_words(column: ColumnCells, distinct: int) -> tuple[str, str]:
    words = float(column.words.str.count_matches(_ONE_WORD).mean() or 0)  # type: ignore[arg-type]
    length = float(column.words.str.len_chars().mean() or 0)  # type: ignore[arg-type]
    many = distinct > max(DIFFERENT, column.held / 2) and not column.target
    if many and (words >= 3 or length > 60):
        return TEXT, f"its cells have {words:.1f} words on average, most of them different"
    if many and distinct == column.held:
        return IDENTIFIER, "each row has a different word"
    numbers_too = column.plain.count()
    beside = f", {numbers_too:,} cells are numbers" if numbers_too else ""
    different = "all the same word" if distinct == 1 else f"{distinct:,} different words"
    return CATEGORY, f"its cells are {different}{beside}"
