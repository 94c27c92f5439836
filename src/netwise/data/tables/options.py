"""How a table is to be read, where that is not left to netwise."""

from __future__ import annotations

from dataclasses import dataclass

AS_ERROR, AS_MISSING = "error", "missing"


@dataclass(frozen=True)
class ReadOptions:
    """Answers to what netwise otherwise finds out itself; the fields are those of `data.csv`.

    Args:
        encoding: of a file of text, such as "cp1252". Default: found.
        sep: what is between two cells. Default: found.
        decimal: "." or ",". Default: found, column by column.
        quote: what is around cells that hold a separator; "none": nothing is. Default: found.
        na: words that mark a missing value, besides the usual ones; also in the target.
        bad_cells: "error", or "missing" to read cells that do not fit their column as gaps.
        columns: names of all columns, for a file without a header line.
        kinds: kinds that are given and not decided, such as {"zip": "category"}.
        sheet: of a workbook, its name. Default: the first.
    """

    encoding: str | None = None
    sep: str | None = None
    decimal: str | None = None
    quote: str | None = None
    na: tuple[str, ...] = ()
    bad_cells: str = AS_ERROR
    columns: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    sheet: str | None = None
