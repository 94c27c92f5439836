"""Where data files lie, and how they get there."""

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
    """`NETWISE_DATA` where it is set, else a cache of the user's own."""
    named = os.environ.get("NETWISE_DATA")
    if named:
        return Path(named)
    import pooch

    return Path(pooch.os_cache("netwise"))


def find(remotes: Sequence[Remote], data_set: str) -> list[Path]:
    """The files of one data set, downloaded with their checksums where they are absent.

    Raises:
        DataMissing: a file is absent and could not be downloaded; names all of them and where to
            put them.
    """
    folder = data_folder()
    paths = [folder / remote.name for remote in remotes]
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
    """A rich progress bar in the shape that pooch asks for."""

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
    first = str(error).strip().splitlines()
    lines = [
        f"{data_set}: {len(absent)} of its files are not in {folder}, and the download failed ({type(error).__name__}: {first[0][:120] if first else ''})."
    ]
    lines.append("Put them there, or set NETWISE_DATA to the folder that has them:")
    lines += [f"  {remote.name}   from {remote.url}" for remote in absent]
    return "\n".join(lines)
