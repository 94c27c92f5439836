"""Readers of the file formats in which public data sets are published: IDX, MATLAB, CIFAR batches,
texts of numbers and of bits."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import math
import pickle
import struct
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np

from netwise.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
IDX_BYTES_MAGIC = b"\0\0\x08"  # two zeros, and the code of unsigned bytes
FETCH_AGAIN = "delete it and fetch it again"
MAX_BYTES = 2**29  # of a file after unpacking; the largest public one has 180 MB
MAX_BATCH = 2**26  # of a batch of CIFAR, which has 31 MB


def unpacked(path: Path, most: int = MAX_BYTES) -> bytes:
    """The content of a file, unpacked where it is a gzip file.

    Raises:
        DataError: there are more than `most` bytes: no more than these are unpacked.
        OSError, EOFError, zlib.error: it cannot be read.
    """
    with open(path, "rb") as file:
        packed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        reader: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=file) if packed else file
        raw: bytes = reader.read(most + 1)
    if len(raw) > most:
        raise DataError(
            f"{path} holds more than {most // 2**20} MiB, more than any file of a public data "
            f"set: {FETCH_AGAIN}"
        )
    return raw


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array of one IDX file, gzipped or plain.

    Raises:
        DataError: no whole gzip file, no IDX file of bytes, or fewer or more bytes than its header
            says.
    """
    try:
        raw = unpacked(path)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is no whole gzip file ({error}): {FETCH_AGAIN}") from None
    if len(raw) < 4 or raw[:3] != IDX_BYTES_MAGIC:
        raise DataError(
            f"{path} is no IDX file of bytes: it begins with {raw[:4].hex()}, not with 000008; "
            f"{FETCH_AGAIN}"
        )
    axes = raw[3]
    start = 4 + 4 * axes
    if len(raw) < start:
        raise DataError(
            f"{path} ends inside its header, after {len(raw)} of {start} bytes: {FETCH_AGAIN}"
        )
    shape = struct.unpack(f">{axes}I", raw[4:start])
    body = raw[start:]
    if len(body) != math.prod(shape):
        sizes = "x".join(map(str, shape))
        raise DataError(
            f"{path} has {len(body)} bytes where its header announces {sizes}: {FETCH_AGAIN}"
        )
    # torch needs memory that can be written to: a copy, not a view of `raw`
    return np.frombuffer(bytearray(body), np.uint8).reshape(shape)


def read_bits(path: Path, columns: int) -> np.ndarray:
    """A text of 0 and 1 with blanks between them, `columns` on each line, gzipped or plain, as
    uint8 (lines, columns).

    Raises:
        DataError: a damaged file, or lines of another length.
    """
    try:
        raw = unpacked(path)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is no whole file of bits ({error}): {FETCH_AGAIN}") from None
    digits = np.frombuffer(raw, np.uint8)
    bits: np.ndarray = digits[(digits == ord("0")) | (digits == ord("1"))] - ord("0")
    lines, rest = divmod(len(bits), columns)
    if not lines or rest or raw.count(b"\n") not in (lines, lines - 1):
        raise DataError(
            f"{path} has {len(bits)} bits, and should have {columns} on each line: {FETCH_AGAIN}"
        )
    return bits.reshape(-1, columns)


def read_numbers(path: Path, columns: int) -> np.ndarray:
    """A gzipped text of numbers, `columns` on each line, as float32 (lines, columns).

    Raises:
        DataError: a damaged file, something that is no number, or another number of columns.
    """
    try:
        text = unpacked(path).decode("ascii")
        rows = np.loadtxt(text.splitlines(), dtype=np.float32, ndmin=2)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(
            f"{path} is no whole gzipped table of numbers ({error}): {FETCH_AGAIN}"
        ) from None
    if rows.shape[1] != columns:
        raise DataError(
            f"{path} has {rows.shape[1]} columns, and should have {columns}: {FETCH_AGAIN}"
        )
    return rows


def read_mat(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays `names` of a MATLAB file.

    Raises:
        DataError: no MATLAB file, or one without these arrays.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        arrays = loadmat(path)
    except (OSError, ValueError, NotImplementedError, TypeError, MatReadError) as error:
        raise DataError(f"{path} is no whole MATLAB file ({error}): {FETCH_AGAIN}") from None
    absent = [name for name in names if name not in arrays]
    if absent:
        raise DataError(
            f"{path} lacks {', '.join(absent)}, so it is not the published file: {FETCH_AGAIN}"
        )
    return {name: arrays[name] for name in names}


def read_cifar(
    archive: Path, checksums: Mapping[str, str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(images, labels) of each batch in CIFAR's tar archive, by the batch's name.

    Args:
        archive: the tar file, compressed or not.
        checksums: SHA-256 of each batch that is wanted; it is checked.

    Raises:
        DataError: a damaged archive, a batch that is absent or not the published one.
    """
    batches: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.size > MAX_BATCH:
                    raise DataError(
                        f"{archive}: {member.name} unpacks to {member.size // 2**20} MiB, more "
                        f"than any file of CIFAR-10: {FETCH_AGAIN}"
                    )
                name = member.name.rsplit("/", 1)[-1]
                file = tar.extractfile(member) if name in checksums else None
                if file is None:
                    continue
                raw = file.read()
                if hashlib.sha256(raw).hexdigest() != checksums[name]:
                    raise DataError(
                        f"{archive}: {name} is not the published file, its SHA-256 differs: "
                        f"{FETCH_AGAIN}"
                    )
                batch = _BatchReader(io.BytesIO(raw), encoding="bytes").load()
                batches[name] = (batch[b"data"], np.array(batch[b"labels"]))
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{archive} is no whole tar archive ({error}): {FETCH_AGAIN}") from None
    absent = sorted(set(checksums) - set(batches))
    if absent:
        raise DataError(
            f"{archive} lacks {', '.join(absent)}, so it is not the published file: {FETCH_AGAIN}"
        )
    return batches


def _empty_array(kind: object, shape: object, code: object) -> np.ndarray:
    return np.ndarray.__new__(np.ndarray, (0,), np.uint8)


class _BatchReader(pickle.Unpickler):
    """Reads CIFAR's published pickles, which hold arrays of bytes; all other classes and functions
    are refused, so that nothing in the file can run."""

    allowed: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): _empty_array,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.allowed:
            raise DataError(
                f"a CIFAR batch calls {module}.{name}, which no picture needs: the file is not "
                f"CIFAR-10; {FETCH_AGAIN}"
            )
        return self.allowed[module, name]
