"""Lets the operating system refuse a chosen write below a folder, as a full or failing disk does.

    with failing_writes(folder, at=3) as faults:
        ...  # the third write fails, and all later ones
    faults.count  # how many there were

A write is a call that changes the disk: opening for writing, writing, flushing, renaming, creating,
linking, and changing permissions. Deleting works on a full disk.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass
class Faults:
    """Which write fails, and how.

    Args:
        folder: only writes below it are counted.
        at: number of the first write that fails, from 1; 0: none.
        code: `errno` of the failure.
        once: later writes work again. Default: they fail as well.
        count: the writes so far.
        failed: names of the calls that failed.
    """

    folder: Path
    at: int = 0
    code: int = errno.ENOSPC
    once: bool = False
    count: int = 0
    failed: list[str] = field(default_factory=list)
    handles: set[int] = field(default_factory=set)

    def write(self, name: str, path: object = None) -> None:
        """Count one write, or refuse it."""
        self.count += 1
        if self.at and (self.count == self.at or (self.count > self.at and not self.once)):
            self.failed.append(name)
            raise OSError(self.code, os.strerror(self.code), path)

    def has(self, path: Any) -> bool:
        """Whether a path, or an open file, lies below the folder."""
        if isinstance(path, int):
            return path in self.handles
        return Path(os.fsdecode(path)).absolute().is_relative_to(self.folder)


@contextmanager
def failing_writes(
    folder: Path, at: int = 0, code: int = errno.ENOSPC, *, once: bool = False
) -> Iterator[Faults]:
    """Inside, the write number `at` below `folder` fails; see `Faults`."""
    faults = Faults(folder.absolute(), at, code, once)
    with mock.patch.multiple(
        os,
        open=_opening(faults, os.open),
        close=_closing(faults, os.close),
        write=_writing(faults, os.write),
        **{
            name: _changing(faults, getattr(os, name))
            for name in ("fsync", "replace", "rename", "mkdir", "link", "symlink", "chmod")
        },
    ):
        yield faults


def _opening(faults: Faults, system: Callable[..., int]) -> Callable[..., int]:
    def opened(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        is_inside = faults.has(path)
        if is_inside and flags & WRITING:
            faults.write("open", path)
        handle = system(path, flags, *args, **kwargs)
        if is_inside:
            faults.handles.add(handle)
        return handle

    return opened


def _closing(faults: Faults, system: Callable[[int], None]) -> Callable[[int], None]:
    def close(handle: int) -> None:
        faults.handles.discard(handle)
        system(handle)

    return close


def _writing(faults: Faults, system: Callable[..., int]) -> Callable[..., int]:
    """A full disk takes the first half of what is written."""

    def write(handle: int, content: Any) -> int:
        if handle not in faults.handles:
            return system(handle, content)
        try:
            faults.write("write")
        except OSError:
            system(handle, bytes(content)[: len(content) // 2])
            raise
        return system(handle, content)

    return write


def _changing(faults: Faults, system: Callable[..., Any]) -> Callable[..., Any]:
    def change(path: Any, *args: Any, **kwargs: Any) -> Any:
        if faults.has(path):
            faults.write(system.__name__, None if isinstance(path, int) else path)
        return system(path, *args, **kwargs)

    return change
