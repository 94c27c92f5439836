"""A table of paths and labels, as it comes with many sets of pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from netwise.data.image_files.decoding import ENDINGS
from netwise.data.image_files.listing import LeftOutFiles, Listing, Picture, part_of
from netwise.data.tables import ReadOptions, TableReading, labels_of, read_table
from netwise.data.tables.kinds import NUMBER, WHOLE
from netwise.errors import DataError, NetwiseError, UnknownName, short_repr
from netwise.regular_files import open_regular

MOST_NUMBERED_CLASSES = 20  # a column of whole numbers with more values is learned as numbers
TRIED = 50  # cells of a column that are looked at
MOST_FOLDERS = 100  # beside the table, in which its paths may begin
LABEL_WORDS = ("label", "labels", "class", "classes", "target", "category", "y", "class_name")
PART_COLUMNS = ("split", "part", "subset", "set", "fold", "partition", "usage", "dataset")
NO_LABEL = "pictures without a label"
Cells = Mapping[str, Sequence[str | None]]


def list_table(path: Path, target: str | None = None, folder: Path | None = None) -> Listing:
    """The pictures that a table names, with their labels, and their parts where a column has them.

    Args:
        path: of the table. The column whose cells name picture files, with or without ending, is
            found by looking.
        target: column of the labels. Default: the only other one, or one that is called label,
            class, category or target.
        folder: that the paths begin in. Default: that of the table, or one in it.

    Raises:
        DataError: no column names pictures, or it is not clear which has the labels.
    """
    reading = _reading(path, target)
    cells = _texts(reading)
    column, place = _column_of_paths(path, cells, _places(path, folder))
    part_column = _part_column(cells, (column, target))
    target = target or _target(path, cells, {column, part_column})
    if target not in cells:
        raise UnknownName(f"column of {path}:", target, list(cells))
    names, (labels, are_numbers) = cells[column], _labels(path, reading, target)
    parts = cells[part_column] if part_column else [""] * len(names)
    pictures, unlabelled, absent = [], [], []
    for name, label, part in zip(names, labels, parts, strict=True):
        file = _file(place, name)
        if label is None:
            unlabelled.append(str(name))
        elif file is None:
            absent.append(str(name))
        else:
            pictures.append(Picture(file, label, part_of(part or "")))
    if absent:
        raise DataError(
            f"{path}: {len(absent):,} of {len(names):,} pictures are not in {place}, such as "
            f"{short_repr(absent[0])}: put them there, or remove their rows"
        )
    left = (LeftOutFiles(NO_LABEL, len(unlabelled), tuple(unlabelled[:3])),) if unlabelled else ()
    split = f", parts in {short_repr(part_column)}" if part_column else ""
    note = (
        f"Paths are in column {short_repr(column)} of {path.name}, labels in "
        f"{short_repr(target)}{split}."
    )
    return Listing(tuple(pictures), left, (note, *reading.notes), are_numbers)


def may_name_pictures(path: Path) -> bool:
    """Whether the beginning of a table has an ending of pictures, or a folder beside it has
    pictures: most tables have neither, and need no second look."""
    with open_regular(path) as file:
        start = file.read(2**16).replace(b"\0", b"").decode("latin-1").casefold()
    if any(ending in start for ending in ENDINGS):
        return True
    return any(
        Path(entry.name).suffix.casefold() in ENDINGS
        for place in _places(path, None)
        for entry in islice(os.scandir(place), TRIED)
    )


def names_pictures(path: Path, folder: Path | None = None) -> bool:
    """Whether a column of the table names picture files that are there."""
    try:
        _column_of_paths(path, _texts(_reading(path)), _places(path, folder))
    except NetwiseError:
        return False
    return True


def _reading(path: Path, target: str | None = None) -> TableReading:
    # Cells of other columns that do not fit keep no picture from being read.
    options = ReadOptions(bad_cells="missing", sep=_separator(path))
    return read_table(path, options, target=target)


def _separator(path: Path) -> str | None:
    """The separator that the names of the columns have between them; None where they show none.
    The paths below them have slashes, points and blanks, which are none."""
    if not path.name.lower().endswith((".csv", ".tsv", ".txt")):
        return None
    with open_regular(path) as file:
        header = file.read(2**12).replace(b"\0", b"").partition(b"\n")[0].decode("latin-1")
    counts = {separator: header.count(separator) for separator in ",;\t|"}
    best = max(counts, key=lambda separator: counts[separator])
    return best if counts[best] else None


def _texts(reading: TableReading) -> dict[str, list[str | None]]:
    """The cells as texts, by column."""
    import polars as pl  # heavy

    return {each.name: each.cast(pl.String, strict=False).to_list() for each in reading.cells}


def _labels(path: Path, reading: TableReading, target: str) -> tuple[list[str | None], bool]:
    """The label of each row, None where there is none; and whether labels are numbers to learn."""
    column, cells = reading.column(target), reading.cells[target]
    numbered = column.kind == WHOLE and column.distinct <= MOST_NUMBERED_CLASSES
    if column.kind not in (NUMBER, WHOLE) or numbered:
        names = labels_of(cells).to_list()
        return [name.strip() if name and name.strip() else None for name in names], False
    values = reading.frame[target].to_list()
    if column.misfits:
        rows = zip(values, cells.to_list(), strict=True)
        misfits = [row for row, (v, cell) in enumerate(rows, 1) if v is None and cell is not None]
        shown = [f"row {row}: {short_repr(cells[row - 1])}" for row in misfits[:5]]
        raise DataError(
            f"{path}: column {short_repr(target)} has numbers, and cells that are none "
            f"({', '.join(shown)}): correct them, or leave them empty"
        )
    return [None if value is None else repr(float(value)) for value in values], True


def _places(path: Path, folder: Path | None) -> list[Path]:
    """Folders that the paths of a table may begin in."""
    if folder is not None:
        return [folder]
    home = path.parent
    inner = sorted(each for each in home.iterdir() if each.is_dir())
    return [home, *(each for each in inner if not each.name.startswith("."))][:MOST_FOLDERS]


def _column_of_paths(path: Path, cells: Cells, places: Sequence[Path]) -> tuple[str, Path]:
    """The column of which most cells name files in one of the folders, and that folder."""
    best, column, place = 0.0, "", places[0]
    for name, column_cells in cells.items():
        step = max(1, len(column_cells) // TRIED)
        some = [cell for cell in column_cells[::step] if cell and cell.strip()]
        for each in places:
            share = sum(_file(each, cell) is not None for cell in some) / max(1, len(some))
            if share > best:
                best, column, place = share, name, each
    if best < 0.5:
        raise DataError(
            f"{path} has no column of paths of pictures that are in {places[0]}: write paths as "
            f"seen from there, or folder = the folder of the pictures. Columns: {', '.join(cells)}"
        )
    return column, place


def _file(place: Path, cell: str | None) -> Path | None:
    """The picture that a cell names, with or without its ending."""
    name = (cell or "").strip().replace("\\", "/")
    if not name or len(name) > 1000 or "\0" in name:
        return None
    path = place / name
    try:
        if path.suffix.casefold() in ENDINGS and path.is_file():
            return path
        for ending in (".jpg", ".png", ".jpeg"):
            if (longer := path.with_name(path.name + ending)).is_file():
                return longer
    except (OSError, ValueError):
        pass
    return None


def _part_column(cells: Cells, taken: Sequence[str | None]) -> str | None:
    """The column that says of each picture whether it is for training, validation or testing."""
    for name, column in cells.items():
        if name.casefold() in PART_COLUMNS and name not in taken:
            parts = {part_of(cell or "") for cell in set(column)}
            if "train" in parts and "" not in parts and len(parts) > 1:
                return name
    return None


def _target(path: Path, cells: Cells, taken: set[str | None]) -> str:
    others = [name for name in cells if name not in taken]
    called = [name for name in others if name.casefold() in LABEL_WORDS]
    chosen = others if len(others) == 1 else called
    if len(chosen) != 1:
        raise DataError(
            f"{path}: which column has the labels? Write target = one of: {', '.join(others)}"
        )
    return chosen[0]
