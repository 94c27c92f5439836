"""Tables in files: classification or regression on their columns."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from netwise.data.content import FileKey, files_key
from netwise.data.dataset import Samples, Split, split_rows
from netwise.data.splitting import SplitKey
from netwise.data.summary.data_summary import DataSummary
from netwise.data.summary.table_summary import TableParts, TableTarget, summary_of_table
from netwise.data.table_content import TableContent, joined, key_of
from netwise.data.table_file import table_file
from netwise.data.table_samples import TableForm, table_samples
from netwise.data.table_targets import class_names, target_numbers, targets_of, task_of
from netwise.data.tables.kinds import CATEGORY, KINDS
from netwise.data.tables.options import AS_ERROR, AS_MISSING, ReadOptions
from netwise.data.tables.reading import TableReading, decided_table, typed_frame
from netwise.data.tables.sources import Cells, cells_of
from netwise.errors import DataError, Problem, UnknownName, short_repr
from netwise.part import flag, text, texts
from netwise.tasks import CLASSIFICATION, REGRESSION

if TYPE_CHECKING:
    import polars as pl

FOUND = "it is found in the file"
NEWER_FIELDS: Mapping[str, object] = {
    "encoding": None,
    "sep": None,
    "decimal": None,
    "quote": None,
    "na": (),
    "bad_cells": AS_ERROR,
    "kinds": (),
    "sheet": None,
    "together": False,
}


@dataclass(frozen=True)
class Table(Split):
    """A file with a table of which one column is to be predicted. Made by `data.csv`.

    CSV with any separator, gzip, zip or xz, Parquet, Arrow, JSON lines or Excel. What each column
    is, is decided from all of its cells (`Table.reading` says it with the reasons); medians, means
    and words are fitted on the training part only, and saved with the network.

    Args:
        path: the file.
        target: name of the column to predict.
        task: "classification", "regression", or "auto": words, and whole numbers of at most 20
            values, are classes; everything else is a number. Default "auto".
        columns: names of all columns, for a file without a header line. Default: the first line has
            them.
        test_file: a second file of the same columns that is the test part. Default: split one off.
        valid_file: a file of the same columns that is the validation part. Default: split one off.
        time: name of a column of times or numbers: the training part is earlier than the
            validation part, which is earlier than the test part. Default: rows are drawn at random.
        group: name of a column, such as that of the patient: no group is in two parts. The column
            is no input. Default: each row is drawn by itself.
        together: rows that are equal, with their target, go into one part. Default false.
        scale_target: for regression, learn (y - mean) / spread and undo it in predictions. Default
            true.
        encoding: of a file of text, such as "cp1252". Default: found.
        sep: what is between two cells. Default: found.
        decimal: the decimal sign, "." or ",". Default: found, column by column.
        quote: what is around cells that hold a separator; "none": nothing. Default: found.
        na: words that mark a missing value, besides the usual ones. Rows without a target are an
            error, and left out where `na` is given.
        bad_cells: what a cell that does not fit its column is, such as 12O among numbers: "error",
            or "missing" for a missing value. Default "error".
        kinds: columns whose kind is given and not decided, such as "zip=category". Kinds are
            number, whole number, truth value, category, date, text, identifier, constant, empty.
        sheet: of a workbook, its name. Default: the first.
        valid, test, split_seed, stratify: as in all split data.
    """

    kind: ClassVar[str] = "csv"
    path: str = text(because="it names a file", write='"data.csv"')
    target: str = text(because="it names the column to predict", write='"price"')
    task: str = text(
        "auto",
        among=("auto", CLASSIFICATION, REGRESSION),
        why="the values of the column usually show it",
    )
    columns: tuple[str, ...] = texts((), why="most files have a header line")
    test_file: str | None = text(
        None, optional=True, because="it names a file", why="most tables come as one file"
    )
    scale_target: bool = flag(
        True, why="outputs of a new network have about mean 0 and spread 1; raw targets may not"
    )
    encoding: str | None = text(
        None, optional=True, because="it names an encoding", write='"cp1252"', why=FOUND
    )
    sep: str | None = text(
        None, optional=True, because="it is between two cells", write='";"', why=FOUND
    )
    decimal: str | None = text(
        None,
        optional=True,
        among=(".", ","),
        because="it is a decimal sign",
        write='","',
        why=FOUND,
    )
    quote: str | None = text(
        None, optional=True, because="it is around cells", write='"none"', why=FOUND
    )
    na: tuple[str, ...] = texts((), why="the usual words are known, such as NA, null and ?")
    bad_cells: str = text(
        AS_ERROR, among=(AS_ERROR, AS_MISSING), why="a cell that is misread is not noticed"
    )
    kinds: tuple[str, ...] = texts((), why=FOUND)
    sheet: str | None = text(
        None, optional=True, because="it names a sheet", write='"Sheet1"', why="most have one"
    )
    valid_file: str | None = text(
        None, optional=True, because="it names a file", why="most tables come as one file"
    )
    time: str | None = text(
        None, optional=True, because="it names a column", write='"date"', why="not all have times"
    )
    group: str | None = text(
        None, optional=True, because="it names a column", write='"patient"', why="not all have any"
    )
    together: bool = flag(False, why="rows of few different values are equal by nature")

    def written_fields(self) -> dict[str, Any]:
        """Without newer fields where they have their defaults, as in older files."""
        fields = super().written_fields()
        return {
            name: value
            for name, value in fields.items()
            if name not in NEWER_FIELDS or value != NEWER_FIELDS[name]
        }

    def conflicts(self) -> list[Problem]:
        problems = super().conflicts()
        by = [name for name in ("time", "group", "together") if getattr(self, name)]
        if len(by) > 1:
            reason = f"and {by[0]} split the rows in two ways: leave one of them out"
            problems.append(Problem(by[1], short_repr(getattr(self, by[1])), reason))
        elif by and self.valid_file:
            reason = "splits rows, and valid_file brings the validation part: leave one of them out"
            problems.append(Problem(by[0], short_repr(getattr(self, by[0])), reason))
        if self.target in (self.time, self.group):
            reason = "is the column to predict, and no split goes by it: name another column"
            problems.append(Problem(by[0], short_repr(self.target), reason))
        for given in self.kinds:
            name, _, kind = given.rpartition("=")
            if not name or (kind not in KINDS and not kind.startswith("date %")):
                reason = f"must be NAME=KIND with one of the kinds {', '.join(KINDS)}"
                problems.append(Problem("kinds", short_repr(given), reason, '["zip=category"]'))
        return problems

    @property
    def options(self) -> ReadOptions:
        """How the file is to be read, where that is given."""
        pairs = [given.rpartition("=") for given in self.kinds]
        kinds = {name: kind for name, _, kind in pairs}
        if self.task == CLASSIFICATION:  # its labels may be numbers beside words
            kinds.setdefault(self.target, CATEGORY)
        return ReadOptions(
            self.encoding,
            self.sep,
            self.decimal,
            self.quote,
            self.na,
            self.bad_cells,
            self.columns,
            tuple(kinds.items()),
            self.sheet,
        )

    def files(self) -> Sequence[Path]:
        return [Path(path) for path in (self.path, self.valid_file, self.test_file) if path]

    def reading(self) -> TableReading:
        """What each column of the file is, and why.

        Example:
            >>> import netwise as nw, pathlib, tempfile
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "flats.csv"
            >>> _ = path.write_text("rent;size\\n850,50;60\\n1.020,00;75\\n")
            >>> print(nw.data.csv(path, "rent").reading().column("rent").reason)
            all 2 cells with a value are numbers, with a decimal comma (its cells show it)
        """
        return _reading_once(self, files_key(self.files()))

    def source_cells(self, path: str) -> Cells:
        """The cells of one of the files, as they came."""
        return cells_of(path, self.options, [self.target])

    def read(self) -> Samples:
        return self._samples(self.content().parts)

    def refitted(self, train: np.ndarray, valid: np.ndarray) -> Samples:
        content = self.content()
        both = np.concatenate(content.parts[:2])
        return self._samples((both[train], both[valid], content.parts[2]))

    def _samples(self, parts: Sequence[np.ndarray]) -> Samples:
        """The rows of these parts, with an encoder that is fitted to the first of them."""
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in self.files()))
        form = TableForm(
            self.path, self.target, self.group, self.scale_target, self.na, self.bad_cells
        )
        return table_samples(self.content(), parts, form, digest.hexdigest()[:16])

    def content(self) -> TableContent:
        """All rows of the files with their targets, and the part that each belongs to."""
        return _content_once(self, files_key(self.files()))

    def new_content(self) -> TableContent:
        """The same, without any cache."""
        reading = self.reading()
        for name in (self.time, self.group):
            if name is not None and name not in reading.frame.columns:
                raise UnknownName(f"column of {self.path}:", name, reading.frame.columns)
        frames = [reading.frame.drop(self.target)]
        targets = [self._targets(reading.cells, reading, self.path)]
        for path in filter(None, (self.valid_file, self.test_file)):
            cells = self.source_cells(path)
            forms = {c.name: (c.kind, c.form) for c in reading.columns if c.name != self.target}
            frames.append(typed_frame(cells, forms, self.options))
            self._require_target(cells.frame, path)
            targets.append(self._targets(cells.frame, reading, path))
        task = task_of(reading.column(self.target), self.task, self.path)
        classes = class_names(task, targets, self.path)
        present = [target.is_not_null().to_numpy() for target in targets]
        ys = [target_numbers(t, classes)[rows] for t, rows in zip(targets, present, strict=True)]
        frame, y, own = joined(frames, present), np.concatenate(ys), len(ys[0])
        together = self.together
        key = key_of(frame[:own], ys[0], time=self.time, group=self.group, together=together)
        train, valid, test = split_rows(
            ys[0] if classes else None,
            own,
            self,
            own_test=self.test_file is not None,
            own_valid=self.valid_file is not None,
            key=key,
        )
        tests = len(ys[-1]) if self.test_file else 0
        if self.valid_file:
            valid = np.arange(own, len(y) - tests)
        if self.test_file:
            test = np.arange(len(y) - tests, len(y))
        if key is not None:
            key = SplitKey(key.by, np.concatenate([key.of_row, np.zeros(len(y) - own, np.int64)]))
        return TableContent(reading, frame, y, own, task, classes, (train, valid, test), key)

    @property
    def title(self) -> str:
        return _shown(self.path)

    def split_sentence(self, has_classes: bool) -> str:
        chosen = super().split_sentence(has_classes)
        if self.time:
            chosen = f"by the time in `{self.time}`, earlier rows first"
        if self.group:
            chosen = f"whole groups of `{self.group}`, {chosen}"
        if self.together:
            chosen = f"equal rows together, {chosen}"
        files = (("validation", self.valid_file), ("test", self.test_file))
        own = [f"the {part} part is {_shown(path)}" for part, path in files if path]
        return "; ".join(own if self.valid_file and self.test_file else [chosen, *own])

    def new_summary(self) -> DataSummary:
        content = self.content()
        parts = content.key.by if content.key and not self.together else ""
        return summary_of_table(
            self.title,
            content.frame,
            content.reading.columns,
            content.reading.notes,
            TableTarget(self.target, content.task, content.classes, content.y),
            TableParts(
                content.parts,
                self.split_sentence(bool(content.classes)),
                "group" if self.together else parts,
                self.time or self.group or "",
            ),
        )

    def raw_rows(self, count: int) -> dict[str, list[Any]]:
        """At most `count` rows of the file, by column, without the target."""
        cells = self.reading().cells.drop(self.target)
        chosen = np.unique(np.linspace(0, cells.height - 1, count).astype(int))
        return cells[chosen].to_dict(as_series=False)

    def _targets(self, cells: pl.DataFrame, reading: TableReading, path: str) -> pl.Series:
        found = reading.column(self.target)
        return targets_of(
            Cells(cells.select(self.target), path), found, self.task, self.path, self.options
        )

    def _require_target(self, frame: pl.DataFrame, path: str) -> None:
        if self.target not in frame.columns:
            raise UnknownName(f"column of {path}:", self.target, frame.columns)


@lru_cache(maxsize=2)
def _content_once(table: Table, content: tuple[FileKey, ...]) -> TableContent:
    return table.new_content()


@lru_cache(maxsize=4)
def _reading_once(table: Table, content: tuple[FileKey, ...]) -> TableReading:
    cells = table.source_cells(table.path)
    table._require_target(cells.frame, table.path)
    return decided_table(cells, table.options, table.target)


def csv(
    path: Any,
    target: str,
    *,
    connection: Any = None,
    task: str = "auto",
    columns: Sequence[str] = (),
    test_file: Any = None,
    scale_target: bool = True,
    encoding: str | None = None,
    sep: str | None = None,
    decimal: str | None = None,
    quote: str | None = None,
    na: Sequence[str] = (),
    bad_cells: str = AS_ERROR,
    kinds: Mapping[str, str] | Sequence[str] = (),
    sheet: str | None = None,
    time: str | None = None,
    group: str | None = None,
    together: bool = False,
    valid: Any = 0.2,
    test: Any = 0.2,
    split_seed: int = 0,
    stratify: bool = True,
) -> Table:
    """A table of which one column is to be predicted; see `Table` for what each argument means.

    Args:
        path: may be a frame of pandas, polars or Arrow, or a mapping of columns too, or an SQL
            query: they are kept as a Parquet file in the data folder.
        connection: to the database of the query, such as `sqlite3.connect(path)`.
        kinds: may be a mapping too: {"zip": "category"}.
        valid, test: share of the rows, or a file, a frame or other `data.csv` that is this part.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pets.csv"
        >>> rows = "4,red,cat\\n30,,dog\\n5,red,cat\\n?,black,dog\\n" * 5
        >>> _ = path.write_text("weight,colour,pet\\n" + rows)
        >>> samples = nw.data.csv(path, "pet").load()
        >>> samples.classes, samples.encoder.names
        (('cat', 'dog'), ('weight', 'colour'))
    """
    valid_share, valid_file = _share_or_file("valid", valid, target)
    test_share, own_test = _share_or_file("test", test, target)
    return Table(
        str(table_file(path, connection)),
        target,
        task=task,
        columns=tuple(columns),
        test_file=own_test if test_file is None else str(table_file(test_file)),
        valid_file=valid_file,
        time=time,
        group=group,
        together=together,
        scale_target=scale_target,
        encoding=encoding,
        sep=sep,
        decimal=decimal,
        quote=quote,
        na=(na,) if isinstance(na, str) else tuple(na),
        bad_cells=bad_cells,
        kinds=tuple(f"{name}={kind}" for name, kind in kinds.items())
        if isinstance(kinds, Mapping)
        else tuple(kinds),
        sheet=sheet,
        valid=valid_share,
        test=test_share,
        split_seed=split_seed,
        stratify=stratify,
    )


def _shown(path: str) -> str:
    """The name of a file; one that `table_file` wrote has a digest for a name."""
    name = Path(path).name
    return "table in memory" if re.fullmatch(r"[0-9a-f]{16}\.parquet", name) else name


def _share_or_file(name: str, part: Any, target: str) -> tuple[Any, str | None]:
    """(the share of a part, the file that it is)."""
    if isinstance(part, Table):
        if part.target != target:
            raise DataError(
                f"{name} is {part.path} with the target {short_repr(part.target)}, and these data "
                f"have {short_repr(target)}: write the same target in both"
            )
        return 0.2, part.path
    if isinstance(part, Real):
        return part, None
    return 0.2, str(table_file(part))
