"""Tables as people have them: any file or frame, with what each column is and why."""

from netwise.data.tables.kinds import KINDS, BadCell, ColumnReading
from netwise.data.tables.labels import labels_of
from netwise.data.tables.options import ReadOptions
from netwise.data.tables.reading import TableReading, read_as, read_table
from netwise.data.tables.streaming import blocks

__all__ = [
    "KINDS",
    "BadCell",
    "ColumnReading",
    "ReadOptions",
    "TableReading",
    "blocks",
    "labels_of",
    "read_as",
    "read_table",
]
