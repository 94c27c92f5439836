"""The folder of data files, and downloads into it. Every file is compared with its SHA-256."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from netwise.atomic import make_folder, write_atomically
from netwise.data.content import FileKey, files_key
from netwise.errors import DataError, DataMissing
from netwise.file_errors import file_errors

MAX_UNPACKED = 2**29  # bytes; the largest public file has 180 MB
PIECE = 2**20  # bytes that are read at once


@dataclass(frozen=True)
class Remote:
    """One file of a data set.

    Args:
        name: path below the data folder.
        url: where it is published; always https.
        sha256: of the published file, in hexadecimal digits; then those of other forms with the
            same content. A gzip file may also have the sum of what is in it, so that it does not
            matter how it was compressed.
        member: path of the file in the tar archive at `url`; "" where `url` is the file itself.
        archive: SHA-256 of that archive.

    Source: the sums of MNIST, Fashion-MNIST, CIFAR-10 and the UCI tables are those that several
    public loaders record; of Olivetti and California housing those of scikit-learn; of binarized
    MNIST those of TensorFlow Datasets; of USPS those of a public repository's Git LFS. None is
    published for the silhouettes: theirs is that of a copy of the public file.
    """

    name: str
    url: str
    sha256: tuple[str, ...]
    member: str = ""
    archive: str = ""


def data_folder() -> Path:
    """The folder that the environment variable `NETWISE_DATA` names, else the user's cache."""
    folder = os.environ.get("NETWISE_DATA")
    if folder:
        return Path(folder)
    import pooch

    return Path(pooch.os_cache("netwise"))


def local_paths(remotes: Sequence[Remote]) -> list[Path]:
    """Where the files of a data set lie, or will lie once they are downloaded."""
    folder = data_folder()
    return [folder / remote.name for remote in remotes]


def find(remotes: Sequence[Remote], data_set: str) -> list[Path]:
    """The files of one data set, downloaded where they are absent. Each is compared with its
    SHA-256, once in a process for each state of the file.

    Raises:
        DataMissing: a file is absent and could not be downloaded; names all of them and where to
            put them.
        DataError: a file is there and is not the published one.
    """
    folder, paths = data_folder(), local_paths(remotes)
    with file_errors(folder):
        absent = [remote for remote, path in zip(remotes, paths, strict=True) if not path.exists()]
    for remote in absent:
        try:
            _download(remote, folder)
        except Exception as error:
            raise DataMissing(_how_to_get(data_set, absent, folder, error)) from error
    for remote, path in zip(remotes, paths, strict=True):
        if not path.is_file():
            raise DataError(
                f"{path} is a folder or device, not a file: remove it, and put the file of "
                f"{remote.url} there"
            )
    for remote, key in zip(remotes, files_key(paths), strict=True):
        _verify(remote, key)
    return paths


@lru_cache(maxsize=64)
def _verify(remote: Remote, key: FileKey) -> None:
    path = Path(key[0])
    with open(path, "rb") as file:
        found = _sum(_pieces(file))
    if found in remote.sha256:
        return
    try:
        with gzip.open(path) as unpacked:
            if _sum(_pieces(unpacked)) in remote.sha256:
                return
    except (OSError, EOFError, zlib.error):
        pass  # no gzip file
    raise DataError(
        f"{path} is not the published file: its SHA-256 is {found}, that of {remote.url} is "
        f"{remote.sha256[0]}. Delete it to have it downloaded again"
    )


def _pieces(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """The content of a file, at most `MAX_UNPACKED` bytes of it and one piece more."""
    read = 0
    while read <= MAX_UNPACKED and (piece := file.read(PIECE)):
        read += len(piece)
        yield piece


def _sum(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _download(remote: Remote, folder: Path) -> None:
    target = folder / remote.name
    make_folder(target.parent)
    if not remote.member:
        _retrieve(remote.url, remote.sha256[0], target)
        return
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".draft-") as draft:
        archive = Path(draft) / "archive"
        _retrieve(remote.url, remote.archive, archive)
        with tarfile.open(archive) as tar:
            member = tar.extractfile(remote.member)
            content = b"" if member is None else b"".join(_pieces(member))
        write_atomically(target, content.replace(b"\r\n", b"\n"))


def _retrieve(url: str, sha256: str, target: Path) -> None:
    import sys

    import pooch

    fetch = pooch.HTTPDownloader(
        progressbar=_Bar(target.name) if sys.stderr.isatty() else False, timeout=15
    )
    pooch.get_logger().setLevel("WARNING")
    pooch.retrieve(url, f"sha256:{sha256}", fname=target.name, path=target.parent, downloader=fetch)


class _Bar:
    """A rich progress bar with the methods that pooch calls."""

    def __init__(self, name: str) -> None:
        self.name, self.total = name, 0
        self._progress: Any = None

    def update(self, done: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        if self._progress is None:
            columns = (TextColumn(self.name), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._progress = Progress(*columns, console=Console(stderr=True))
            self._progress.start()
            self._task = self._progress.add_task(self.name, total=self.total or None)
        self._progress.update(self._task, advance=done)

    def reset(self) -> None:
        """Called by pooch before its last update."""

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()


def _how_to_get(data_set: str, absent: Sequence[Remote], folder: Path, error: Exception) -> str:
    first_line = (str(error).strip().splitlines() or [""])[0][:120]
    problem = (
        f"{data_set}: {len(absent)} of its files are not in {folder}, and the download failed "
        f"({type(error).__name__}: {first_line})."
    )
    instruction = "Put them there, or set NETWISE_DATA to the folder that has them:"
    files = [f"  {remote.name}   from {remote.url}" for remote in absent]
    return "\n".join([problem, instruction, *files])
