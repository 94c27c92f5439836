"""All pictures of a data set as bytes: read by several threads, once for each state of the files.

A few are kept in memory. Many lie in a file of the cache, which is mapped into memory: the system
keeps of it what fits, all processes of a machine share it, and the next run need not read the
pictures again.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from netwise.atomic import delete_file, make_folder, make_sized_file, replace_file, write_atomically
from netwise.data.content import files_key
from netwise.data.image_files.decoding import BrokenImage, DecodedPicture, as_bytes, decode, quiet
from netwise.errors import FileAccessError, NetwiseError
from netwise.memory import require_memory
from netwise.regular_files import read_regular
from netwise.schema import typed

IN_MEMORY = 2**28  # bytes; a larger set lies in a file
MOST_CACHED = 5  # sets of pictures
MOST_ABOUT = 2**30  # bytes of a file about a set
FORM = 1  # of the files in the cache
TASK = 64  # pictures that a thread reads at a time
TURNED, TRANSPARENT, FRAMES, DEEP = "turned", "transparent", "several frames", "deep"


@dataclass(frozen=True)
class AboutPictures:
    """What is known of pictures that were read.

    Args:
        sums: of the pixels of each picture, in hexadecimal digits; "" for a broken one.
        broken: for each broken picture its number and the reason.
        counts: how many were `TURNED`, and so on.
        low, high: the range of pictures of more than 8 bits, all of which it scales.
    """

    sums: tuple[str, ...]
    broken: tuple[tuple[int, str], ...]
    counts: dict[str, int]
    low: float = 0.0
    high: float = 255.0


class Loaded(NamedTuple):
    """Pictures as bytes: `store` is uint8 (files, height, width, channels)."""

    store: Tensor
    about: AboutPictures


class Shape(NamedTuple):
    """Of each picture after it is resized."""

    height: int
    width: int
    channels: int


class _Some(NamedTuple):
    """What some pictures were, by their rows: the sums of their pixels, reasons why they are
    broken, and ranges of those of more than 8 bits, which are not in the array yet."""

    counts: Counter[str]
    sums: dict[int, str]
    broken: list[tuple[int, str]]
    ranges: dict[int, tuple[float, float]]


Progress = Callable[[int, int], None]  # called with how many pictures are read, and of how many
_PROGRESS: ContextVar[Progress | None] = ContextVar("pictures_progress", default=None)


@contextmanager
def show_reading(progress: Progress) -> Iterator[None]:
    """Inside, `progress` is called from time to time while pictures are read."""
    token = _PROGRESS.set(progress)
    try:
        yield
    finally:
        _PROGRESS.reset(token)


def load_pictures(paths: Sequence[Path], shape: Shape) -> Loaded:
    """All of these pictures, resized to one shape.

    Pictures of more than 8 bits are scaled by the least and largest value that any of them has, so
    that a dark one stays darker than a bright one.

    Raises:
        WrongValue: they need more memory or disk than is free.
    """
    size = len(paths) * shape.height * shape.width * shape.channels
    if size <= IN_MEMORY:
        array = np.zeros((len(paths), *shape), np.uint8)
        return Loaded(torch.from_numpy(array), _read_into(array, paths, shape))
    return _cached(paths, shape, size)


def cache_folder() -> Path:
    """The folder that the environment variable `NETWISE_CACHE` names, else the user's cache."""
    folder = os.environ.get("NETWISE_CACHE")
    if folder:
        return Path(folder) / "pictures"
    import pooch

    return Path(pooch.os_cache("netwise")) / "pictures"


def _cached(paths: Sequence[Path], shape: Shape, size: int) -> Loaded:
    """From the cache; read into it where it has no such set, or into memory where that fails."""
    key = hashlib.sha256(repr((FORM, tuple(shape), files_key(paths))).encode()).hexdigest()[:32]
    folder = cache_folder()
    store, about_file = folder / f"{key}.pixels", folder / f"{key}.json"
    try:
        text = read_regular(about_file, MOST_ABOUT)
        about = typed(AboutPictures, json.loads(text), "about")
        if len(about.sums) == len(paths) and store.stat().st_size == size:
            return Loaded(_mapped(store, paths, shape), about)
    except (OSError, ValueError, NetwiseError):
        pass  # absent, or damaged: it is made anew
    draft = folder / f"{key}-{os.getpid()}.draft"
    try:
        make_folder(folder)
        _make_room(folder)
        make_sized_file(draft, size)
    except FileAccessError:  # no cache, or a full disk
        what = "and width make pictures that need"
        require_memory(size, "data.images", "height", shape.height, what, "32")
        array = np.zeros((len(paths), *shape), np.uint8)
        return Loaded(torch.from_numpy(array), _read_into(array, paths, shape))
    try:
        about = _read_into_file(draft, paths, shape)
        replace_file(draft, store)
    except BaseException:
        delete_file(draft)
        raise
    write_atomically(about_file, json.dumps(asdict(about)))
    return Loaded(_mapped(store, paths, shape), about)


def _read_into_file(draft: Path, paths: Sequence[Path], shape: Shape) -> AboutPictures:
    """Read all pictures into a file of their size. What was written is left to the system at once,
    so that it is no memory of this process."""
    array = np.memmap(draft, np.uint8, "r+", shape=(len(paths), *shape))
    mapped: object = array.base

    def release() -> None:
        if sys.platform == "linux" and isinstance(mapped, mmap.mmap):
            mapped.madvise(mmap.MADV_DONTNEED)

    about = _read_into(array, paths, shape, release)
    array.flush()
    return about


def _mapped(store: Path, paths: Sequence[Path], shape: Shape) -> Tensor:
    # Copy on write: torch has no tensors for memory that may only be read.
    return torch.from_numpy(np.memmap(store, np.uint8, "c", shape=(len(paths), *shape)))


def _make_room(folder: Path) -> None:
    """Delete all but the sets that were made last, and what a killed process has left."""
    sets = sorted(folder.glob("*.pixels"), key=lambda path: path.stat().st_mtime)
    for old in sets[: max(0, len(sets) - MOST_CACHED + 1)]:
        delete_file(old.with_suffix(".json"))
        delete_file(old)
    day = 86_400
    for draft in folder.glob("*.draft"):
        if draft.stat().st_mtime < time.time() - day:
            delete_file(draft)


def _read_into(
    array: np.ndarray,
    paths: Sequence[Path],
    shape: Shape,
    release: Callable[[], None] = lambda: None,
) -> AboutPictures:
    """Read all pictures into `array`, and say what they were. `release` is called from time to
    time: pictures that were read are not looked at again."""
    progress = _PROGRESS.get()
    every = _Some(Counter(), {}, [], {})

    def read(start: int) -> _Some:
        return _read_some(array, paths, shape, range(start, min(start + TASK, len(paths))))

    with quiet(), reading_threads() as pool:
        for number, some in enumerate(pool.map(read, range(0, len(paths), TASK))):
            every.counts.update(some.counts)
            every.sums.update(some.sums)
            every.broken.extend(some.broken)
            every.ranges.update(some.ranges)
            release()
            if progress is not None:
                progress(min(len(paths), (number + 1) * TASK), len(paths))
        low = min((each[0] for each in every.ranges.values()), default=0.0)
        high = max((each[1] for each in every.ranges.values()), default=255.0)

        def scale(row: int) -> tuple[int, str]:
            pixels = _decoded(paths[row], shape).pixels
            scaled = as_bytes(pixels, low, high, colour=shape.channels == 3)
            array[row] = scaled.reshape(shape)
            return row, _sum(scaled)

        every.sums.update(pool.map(scale, every.ranges))
    sums = tuple(every.sums.get(row, "") for row in range(len(paths)))
    return AboutPictures(sums, tuple(every.broken), dict(every.counts), low, high)


def _read_some(array: np.ndarray, paths: Sequence[Path], shape: Shape, rows: range) -> _Some:
    """Read these pictures into `array`, but for those of more than 8 bits."""
    some = _Some(Counter(), {}, [], {})
    for row in rows:
        try:
            found = _decoded(paths[row], shape)
        except BrokenImage as error:
            some.broken.append((row, error.reason))
            continue
        is_deep = found.pixels.dtype != np.uint8
        if is_deep:
            some.ranges[row] = (float(found.pixels.min()), float(found.pixels.max()))
        else:
            array[row] = found.pixels.reshape(shape)
            some.sums[row] = _sum(found.pixels)
        was = (found.turned, found.transparent, found.frames, is_deep)
        names = (TURNED, TRANSPARENT, FRAMES, DEEP)
        some.counts.update(name for name, yes in zip(names, was, strict=True) if yes)
    return some


def _decoded(path: Path, shape: Shape) -> DecodedPicture:
    return decode(path, height=shape.height, width=shape.width, colour=shape.channels == 3)


def _sum(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()[:32]


@contextmanager
def reading_threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that read pictures: Pillow unpacks and resizes without holding Python's lock."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pool = ThreadPoolExecutor(min(32, 2 * (cores or 1)), "netwise-pictures")
    try:
        yield pool
    finally:  # after an error or Ctrl-C, what has not begun is not read
        pool.shutdown(cancel_futures=True)
