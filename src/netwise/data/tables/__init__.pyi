"""The names of this package, once; see `netwise.lazy_names`."""

from netwise.data.tables.kinds import (
    KINDS as KINDS,
    BadCell as BadCell,
    ColumnReading as ColumnReading,
)
from netwise.data.tables.labels import labels_of as labels_of
from netwise.data.tables.options import ReadOptions as ReadOptions
from netwise.data.tables.reading import (
    TableReading as TableReading,
    read_as as read_as,
    read_table as read_table,
)
from netwise.data.tables.streaming import blocks as blocks

__all__: list[str]
