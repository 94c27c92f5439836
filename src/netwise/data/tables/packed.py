"""Files as people have them: packed or not, of text or not, known by their first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from netwise.data.tables.encodings import wide_encoding
from netwise.errors import DataError
from netwise.memory import available_memory, format_size
from netwise.regular_files import open_regular

BLOCK = 2**22  # bytes that are unpacked at a time
# What begins with these bytes is no table that netwise reads; with what to do instead.
_STRANGERS = (
    (b"%PDF", "a PDF document", "save its table as CSV"),
    (b"\x89HDF", "an HDF5 file", "read it with h5py or pandas and pass the frame"),
    (b"SQLite format 3\0", "an SQLite database", "pass nw.data.sql(QUERY, connection)"),
    (b"\x80\x04\x95", "a pickle, which can run code", "save it as Parquet or CSV"),
    (b"\x80\x05\x95", "a pickle, which can run code", "save it as Parquet or CSV"),
    (b"\x93NUMPY", "an array of numpy", "load it and pass nw.data.arrays(x, y)"),
    (b"ORC", "an ORC file", "save it as Parquet or CSV"),
    (b"Obj\x01", "an Avro file", "save it as Parquet or CSV"),
    (b"RDX", "a file of R", "save it with write.csv in R"),
    (b"<stata_dta>", "a Stata file", "pass pandas.read_stata(path)"),
    (b"$FL2", "a file of SPSS", "pass pandas.read_spss(path)"),
    (b"$FL3", "a file of SPSS", "pass pandas.read_spss(path)"),
    (b"\0" * 12 + b"\xc2\xea\x81", "a file of SAS", "pass pandas.read_sas(path)"),
    (b"HEADER RECORD*******LIB", "a file of SAS", "pass pandas.read_sas(path)"),
    (b"MATLAB 5.0 MAT-file", "a file of MATLAB", "read it with scipy.io.loadmat"),
    (b"CDF\x01", "a NetCDF file", "read it with xarray and pass its frame"),
    (b"CDF\x02", "a NetCDF file", "read it with xarray and pass its frame"),
    (b"FEA1", "a Feather file of version 1", "save it as Parquet or CSV"),
)


# The same for kinds that are known by their name alone.
_BY_ENDING = {
    ".dta": ", or read it with pandas.read_stata and pass the frame",
    ".sav": ", or read it with pandas.read_spss and pass the frame",
    ".sas7bdat": ", or read it with pandas.read_sas and pass the frame",
    ".mat": ", or read it with scipy.io.loadmat and pass nw.data.arrays(x, y)",
    ".rds": " (in R: write.csv)",
    ".rdata": " (in R: write.csv)",
}
# How files that begin with these bytes are unpacked as they are read.
UNPACKED_BY: tuple[tuple[bytes, Callable[[Any], Any]], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\0", lzma.open),
)
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_PACKED = (*(mark for mark, _ in UNPACKED_BY), _ZSTANDARD)
_TABLES = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", *_PACKED)
_CONTROLS = frozenset(range(9)) - {1} | frozenset(range(14, 28))


def content(path: Path) -> bytes:
    """The bytes of a file after unpacking gzip, bzip2, xz, Zstandard or zip.

    Raises:
        DataError: it is absent, a folder, damaged, of a kind that is no table, an archive of
            several files, or larger than the free memory.
    """
    try:
        with open_regular(path) as file:
            raw = _read(file, path)
    except FileNotFoundError:
        raise DataError(
            f"{path} is not there (looked in {Path.cwd()}): check the path, or write it in full"
        ) from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not a CSV file: name a file in it") from None
    for _ in range(2):  # such as a zip file of a gzip file
        raw = _unpacked(raw, path)
    refuse_strangers(raw, path)
    return raw


def _read(file: IO[bytes], path: Path) -> bytes:
    """All bytes; refused before they fill the memory."""
    free = available_memory()
    pieces, size = [], 0
    while piece := file.read(BLOCK):
        pieces.append(piece)
        size += len(piece)
        if free is not None and 2 * size > free:
            raise DataError(
                f"{path} holds more than {format_size(size)}, and {format_size(free)} of memory "
                "are free: use a part of its rows"
            )
    return b"".join(pieces)


def _unpacked(raw: bytes, path: Path) -> bytes:
    stream = io.BytesIO(raw)
    try:
        for mark, unpacked in UNPACKED_BY:
            if raw.startswith(mark):
                return _read(unpacked(stream), path)
        if raw.startswith(_ZSTANDARD):
            raise DataError(f"{path} is packed by Zstandard: unpack it with zstd -d, and use that")
        if raw.startswith(b"PK\x03\x04") and not _is_workbook(stream):
            return _member(stream, path)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged, or was cut off ({error}): fetch it again") from None
    except (RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path} cannot be unpacked ({error}): unpack it yourself") from None
    return raw


def _is_workbook(stream: io.BytesIO) -> bool:
    with zipfile.ZipFile(stream) as archive:
        names = set(archive.namelist())
    return bool(names & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"})


def _member(stream: io.BytesIO, path: Path) -> bytes:
    """The one file of a zip archive; what systems add to archives does not count."""
    with zipfile.ZipFile(stream) as archive:
        members = [
            info
            for info in archive.infolist()
            if not info.is_dir()
            and not info.filename.startswith("__MACOSX/")
            and not Path(info.filename).name.startswith(".")
        ]
        if len(members) != 1:
            names = ", ".join(info.filename for info in members[:5])
            raise DataError(
                f"{path} is an archive of {len(members)} files ({names}): unpack it, and name one"
            )
        with archive.open(members[0]) as file:
            return _read(file, path)


def refuse_strangers(raw: bytes, path: Path) -> None:
    """Refuse a file that begins with these bytes where it is of a known kind that is no table.

    Raises:
        DataError: it is; with what to do instead.
    """
    for mark, what, instead in _STRANGERS:
        if raw.startswith(mark):
            raise DataError(f"{path} is {what}, not a table: {instead}, or use another file")
    sample = raw[:4096]
    zeros = sample.count(0)  # some of them are what a crash leaves in a text
    zeros = zeros if 2 * zeros > len(sample) else 0
    strange = sum(byte in _CONTROLS for byte in sample if byte) + zeros
    wide = sample.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")) or wide_encoding(sample)
    if strange > len(sample) / 20 and not wide and not sample.startswith(_TABLES):
        known = _BY_ENDING.get(path.suffix.lower(), "")
        raise DataError(
            f"{path} is no text, and no other table that is known: save it as CSV{known}"
        )
    start = raw[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise DataError(
            f"{path} is a web page, not a table: fetch the file itself (often the link 'raw' or "
            "'download')"
        )
