"""How a text is cut into cells: what is between two cells and around them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Reader

TAB, NO_QUOTE = "\t", "none"
BLANKS = "blanks"  # cells with one or more blanks between them
USUAL_SEPARATORS = (",", ";", "\t", "|", ":", "^", "~", "\x01", "\x1f", "\xa7", "!", "#", "&", "/")
QUOTES = ('"', "'")
SAMPLE_LINES, SAMPLE_CHARACTERS = 300, 2**16
_NUMBER = re.compile(
    r"(?:[<>]=?|[~≈≤≥])?[-+(]?[€$£¥]?\s?"
    r"(?:[0-9]{1,3}(?:[., '’][0-9]{3})+(?:[.,][0-9]+)?"
    r"|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?|[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)"
    r"(?:[eE][-+]?[0-9]+)?\s?(?:[%€$£¥]|[A-Z]{3})?\)?-?"
)
_DATE = re.compile(
    r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}(?:[T ,]+[0-9]{1,2}:[0-9]{2}.*)?"
    r"|[0-9]{1,2}:[0-9]{2}(?::[0-9.]+)?"
    # With the names of a weekday or a month: Monday, March 24, 2020.
    r"|(?:[^\W\d_]{2,10}\.?,? )?"
    r"(?:[^\W\d_]{3,9}\.? [0-9]{1,2},?|[0-9]{1,2}\.? [^\W\d_]{3,9}\.?) [0-9]{4}"
    r"(?: [0-9]{1,2}:[0-9]{2}.*)?"
)
_PATH = re.compile(r"(?:[a-z]+://)?[^\s;,|]*[/\\][^\s;,|]*")
_PLAIN_WORDS = re.compile(r"[^\W_](?:[\w .'’&()+-]*[\w.)+])?")
_WORD = re.compile(r"\b[^\W\d_]{2,}\b")
SENTENCE = 3  # words from which on a cell is one of text, whatever signs are between them
# Texts have blanks, dates and paths have these signs: another separator is the likelier one. So it
# is where the first line lacks a sign, and all lines have another one.
IN_VALUES = ("/", ":", "&", "#", "!")
BLANKS_WEIGHT = 0.5
NOT_ABOVE = 0.2  # where the first line lacks such a sign, it is seldom a separator
TORN = 0.2  # where cells in quotes are read as several ones without them
EMPTY_COLUMN = 0.3  # how much a column without values counts: two separators in a row are one
_MISSING = frozenset({"", "?", "na", "n/a", "nan", "null", "none", "-", "."})


@dataclass(frozen=True)
class Dialect:
    """How cells are set apart.

    Args:
        sep: one character, or several; "blanks": any number of blanks and tabs.
        quote: what may stand around a cell; "none": nothing.
        escape: the character that takes the meaning of a quote inside of a cell; "": a quote is
            doubled.
        spaced: blanks may come between a separator and a quote.
    """

    sep: str = ","
    quote: str = '"'
    escape: str = ""
    spaced: bool = False

    @property
    def plain(self) -> bool:
        """Whether fast parsers read it: one character of ASCII apart, doubled quotes."""
        return len(self.sep) == 1 and self.sep.isascii() and not self.escape and not self.spaced

    @property
    def sep_name(self) -> str:
        names = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar", " ": "one blank"}
        return names.get(self.sep, self.sep if self.sep.isprintable() else repr(self.sep))


def rows_of(lines: Iterable[str], dialect: Dialect) -> Reader:
    """The rows of a text, cut by Python's reader.

    Args:
        lines: with their ends.
        dialect: how they are cut.
    """
    sep = dialect.sep
    if sep == BLANKS:
        lines, sep = (f"{line.replace(TAB, ' ').strip()}\n" for line in lines), " "
    elif len(sep) > 1:
        lines, sep = (line.replace(dialect.sep, "\x1f") for line in lines), "\x1f"
    quoted = dialect.quote != NO_QUOTE
    return csv.reader(
        lines,
        delimiter=sep,
        quotechar=dialect.quote if quoted else None,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        escapechar=dialect.escape or None,
        doublequote=not dialect.escape,
        skipinitialspace=dialect.spaced or dialect.sep == BLANKS,
    )


def find_dialect(
    lines: Sequence[str], sep: str | None = None, quote: str | None = None
) -> tuple[Dialect, str]:
    """The dialect in which some lines have the most regular columns, and why.

    Each candidate cuts the lines. Its score is the share of rows that have the usual number of
    cells, times the share of cells that look like a value (a number, a date, words, a gap) and are
    of the kind that is usual in their column; more columns are better where these are equal.

    Args:
        lines: the first ones of the text, with their ends.
        sep, quote: as given, or None to find them.
    """
    lines = [line for line in lines if line.strip()][:SAMPLE_LINES]
    seps = (sep,) if sep else (*_separators(lines), _absent(lines))
    quotes = (quote,) if quote else (*(q for q in QUOTES if _quotes(lines, q)), NO_QUOTE)
    rivals = {s for s in seps if s not in (" ", BLANKS) and all(s in line for line in lines)}
    best, best_score = Dialect(sep or ",", quote or '"'), 0.0
    for each in seps:
        for mark in quotes:
            candidate = _with_habits(lines, Dialect(each, mark))
            score = _score(lines, candidate)
            if each in (" ", BLANKS, *IN_VALUES):
                score *= BLANKS_WEIGHT
            inside = bool(lines) and each not in lines[0] and any(each in line for line in lines)
            if inside and (each in IN_VALUES or rivals):
                score *= NOT_ABOVE
            if score > best_score * 1.001:
                best, best_score = candidate, score
    if best.quote == NO_QUOTE and quote is None and not any('"' in line for line in lines):
        best = replace(best, quote='"')  # further down there may be one
    if sep:
        return best, "as given"
    return best, "with it the columns are the most regular"


def _separators(lines: Sequence[str]) -> Iterator[str]:
    """Characters that may be between cells: the usual ones, and others that each line has."""
    counts = [Counter(line) for line in lines[:50]]
    for sep in USUAL_SEPARATORS:
        if any(sep in count for count in counts):
            yield sep
    for double in ("||", "::", ";;", "~~", "|~|"):
        if all(double in line for line in lines[:50]):
            yield double
    if sum(" " in line.strip() or "\t" in line.strip() for line in lines) > len(lines) / 2:
        yield " "
        yield BLANKS


def _absent(lines: Sequence[str]) -> str:
    """A separator that no line has, for a table of one column."""
    text = "".join(lines)
    return next((sep for sep in USUAL_SEPARATORS if sep not in text), "\x1e")


def _quotes(lines: Sequence[str], quote: str) -> bool:
    """Whether the lines have cells with this quote around them."""
    opening = re.compile(rf"(?:^|[^\w\s]|\s){quote}")
    return any(quote in line and opening.search(line) for line in lines)


def _with_habits(lines: Sequence[str], dialect: Dialect) -> Dialect:
    """With escaped quotes, and blanks before quotes, where the lines have them."""
    if dialect.quote == NO_QUOTE:
        return dialect
    quote = re.escape(dialect.quote)
    sep = r"\s" if dialect.sep == BLANKS else re.escape(dialect.sep)
    text = "".join(lines)
    escaped = re.search(rf"\\{quote}(?!\s*(?:{sep}|$))", text, re.MULTILINE)
    spaced = dialect.sep not in (" ", BLANKS) and re.search(
        rf"(?:{sep} +{quote})|(?:{quote} +{sep})", text
    )
    return replace(dialect, escape="\\" if escaped else "", spaced=bool(spaced))


def _score(lines: Sequence[str], dialect: Dialect) -> float:
    try:
        rows = list(rows_of(lines, dialect))
    except csv.Error:
        return 0.0
    counts = Counter(len(row) for row in rows)
    if not counts:
        return 0.0
    width = max(counts, key=lambda n: counts[n] * (n - 0.9 if n > 1 else 0.05))
    regular = [row for row in rows if len(row) == width]
    if len(regular) == 0:
        return 0.0
    share = sum(map(len, regular)) / max(1, sum(map(len, rows)))
    share *= len(regular) / len(rows)
    body = regular[1:] if len(regular) > 1 else regular
    known = 0.0
    for column in zip(*body, strict=True):
        kinds = Counter(_kind(cell.strip()) for cell in column)
        gaps, other = kinds.pop("gap", 0), kinds.pop("other", 0)
        usual = max(kinds.values(), default=0)
        if gaps == len(column):
            known += EMPTY_COLUMN
            continue
        known += (usual + gaps + 0.1 * other + 0.5 * (sum(kinds.values()) - usual)) / len(column)
    if dialect.quote == NO_QUOTE and _are_torn(body):
        share *= TORN
    return share**2 * known / width * (1 - 0.5 / width if width > 1 else 0.1)


def _are_torn(rows: Sequence[Sequence[str]]) -> bool:
    """Whether most rows have a cell that a quote opens, and a later one that it closes: without
    quotes one cell is read as several."""
    torn = 0
    for row in rows:
        cells = [cell.strip() for cell in row]
        opened = [i for i, c in enumerate(cells) if c[:1] == '"' and not c.endswith('"', 1)]
        closed = [i for i, c in enumerate(cells) if c[-1:] == '"' and not c.startswith('"')]
        torn += bool(opened and closed and opened[0] < closed[-1])
    return 2 * torn > len(rows)


def _kind(cell: str) -> str:
    if cell.lower() in _MISSING:
        return "gap"
    if _NUMBER.fullmatch(cell):
        return "number"
    if _DATE.fullmatch(cell):
        return "date"
    if _PLAIN_WORDS.fullmatch(cell) or _PATH.fullmatch(cell):
        return "words"
    return "words" if len(_WORD.findall(cell)) >= SENTENCE else "other"


def looks_like_value(cell: str) -> bool:
    """Whether a cell is written as a number or a date."""
    return _kind(cell) in ("number", "date")
