"""Class names: one for each value, however its cells are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netwise.data.tables.number_forms import POINT, numbers
from netwise.data.tables.typing_cells import as_words, native

if TYPE_CHECKING:
    import polars as pl


def labels_of(cells: pl.Series, decimal: str = POINT) -> pl.Series:
    """The class of each cell, as text. Where all are numbers, those of one value are one class:
    1, 1.0 and 01, whose name is the shortest.

    Args:
        cells: of the target.
        decimal: the decimal sign.

    Example:
        >>> import polars as pl
        >>> from netwise.data.tables import labels_of
        >>> labels_of(pl.Series(["1", "1.0", "01", " 2"])).to_list()
        ['1', '1', '1', '2']
    """
    import polars as pl  # heavy

    texts = as_words(native(cells)).str.strip_chars()
    values = numbers(texts, decimal)
    if values.null_count() > texts.null_count():
        return texts
    pairs = pl.DataFrame({"text": texts.unique(maintain_order=True)}).drop_nulls()
    pairs = pairs.with_columns(numbers(pairs["text"], decimal).alias("value"))
    shortest = pairs.sort(pl.col("text").str.len_chars(), "text").group_by("value").first()
    names = pairs.join(shortest, on="value", suffix="_name")
    return texts.replace_strict(names["text"], names["text_name"], return_dtype=pl.String)
