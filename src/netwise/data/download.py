"""The folder of data files, and downloads into it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netwise.errors import DataMissing


@dataclass(frozen=True)
class Remote:
    """One file of a data set.

    Args:
        name: path below the data folder.
        url: where it is published.
        checksum: `sha256:...` or `md5:...` of the published file; empty where none is known.
    """

    name: str
    url: str
    checksum: str


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
    """The files of one data set, downloaded with their checksums where they are absent.

    Raises:
        DataMissing: a file is absent and could not be downloaded; names all of them and where to
            put them.
    """
    folder, paths = data_folder(), local_paths(remotes)
    absent = [remote for remote, path in zip(remotes, paths, strict=True) if not path.is_file()]
    for remote in absent:
        try:
            _download(remote, folder)
        except Exception as error:
            raise DataMissing(_how_to_get(data_set, absent, folder, error)) from error
    return paths


def _download(remote: Remote, folder: Path) -> None:
    import sys

    import pooch

    target = folder / remote.name
    target.parent.mkdir(parents=True, exist_ok=True)
    fetch = pooch.HTTPDownloader(
        progressbar=_Bar(remote.name) if sys.stderr.isatty() else False, timeout=15
    )
    pooch.get_logger().setLevel("WARNING")
    pooch.retrieve(
        remote.url, remote.checksum or None, fname=target.name, path=target.parent, downloader=fetch
    )


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
