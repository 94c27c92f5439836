"""Disks that are full, read-only or broken at one of the writes of a job: an error that says what
to do, and the same numbers once the disk can be written again.

`torture.faults` refuses one write after the other. Where this user may mount file systems, a disk
in memory is really full; then the writes of libraries fail as well, such as Optuna's journal.
"""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netwise as nw
from torture.attack import Attack, Chance, Failed, Skipped
from torture.damaged_runs import RECIPE, numbers
from torture.faults import failing_writes
from torture.kills import rows_of, search_result, train

CODES = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO)
EVERY = 10  # an attack refuses one of so many writes
SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0),))


@dataclass(frozen=True)
class Job:
    """What writes.

    Args:
        start: begins or continues it in a folder, to its end.
        result: its numbers.
        continues: a part of the message of an error during work; "" where nothing is continued.
    """

    start: Callable[[Path], object]
    result: Callable[[Path], Any]
    continues: str = ""


def search(folder: Path) -> object:
    if (folder / "recipe.toml").is_file():
        return nw.resume_search(folder, jobs=1)
    recipe = RECIPE.but(epochs=2)
    return nw.search(recipe, SPACE, method=nw.Random(), trials=3, fresh=1, folder=folder, jobs=1)


def write_report(folder: Path) -> object:
    return nw.write_report(nw.fit(RECIPE.but(epochs=1)), folder.with_suffix(".html"))


def write_recipe(folder: Path) -> object:
    return nw.write_recipe(RECIPE, folder.with_suffix(".toml"))


JOBS = {
    "training": Job(
        train(RECIPE, every=4),
        lambda folder: (numbers(nw.load(folder)), rows_of(folder)),
        "netwise train --resume",
    ),
    "search": Job(search, search_result, "netwise search --resume"),
    "report": Job(write_report, lambda folder: folder.with_suffix(".html").stat().st_size > 1000),
    "recipe": Job(write_recipe, lambda folder: folder.with_suffix(".toml").read_text()),
}


def prepare(name: str) -> Callable[[Path], None]:
    """The numbers of the job without faults, and how often it writes."""

    def make(folder: Path) -> None:
        with failing_writes(folder) as faults:
            JOBS[name].start(folder / "job")
        result = JOBS[name].result(folder / "job")
        (folder / "quiet.pickle").write_bytes(pickle.dumps((faults.count, result)))

    return make


def refuse(name: str, code: int) -> Callable[[Path, Path, Chance], int]:
    """The attack that refuses some of the writes of a job, one after the other."""

    def attack(prepared: Path, scratch: Path, chance: Chance) -> int:
        job = JOBS[name]
        count, expected = pickle.loads((prepared / "quiet.pickle").read_bytes())
        places = range(1 + chance.number, count + 1, EVERY)
        for at in places:
            folder = scratch / f"at-{at}"
            with failing_writes(scratch, at, code) as faults:
                raised = error_of(job, folder)
            if raised is None:
                if faults.failed and faults.failed[0] != "link":  # then a copy is written
                    raise Failed(f"{name}: write {at} ({faults.failed[0]}) failed unnoticed")
            else:
                require_instruction(raised, folder, code)
            finish(job, folder, expected, f"{name}: after the failed write {at}")
        return len(places)

    return attack


def error_of(job: Job, folder: Path) -> nw.NetwiseError | None:
    """The error with which a job ends; None where it ends well."""
    try:
        job.start(folder)
    except nw.NetwiseError as error:
        return error
    return None


def require_instruction(error: nw.NetwiseError, folder: Path, code: int) -> None:
    """The message has the path, the reason of the system, and what to do."""
    text = str(error)
    missing = [part for part in (folder.name, os.strerror(code)) if part not in text]
    if missing:
        raise Failed(f"{missing} is not in the message: {text}")


def finish(job: Job, folder: Path, expected: Any, when: str) -> None:
    """With a disk that can be written, the job is continued, to the numbers of a quiet one."""
    try:
        job.start(folder)
    except nw.NetwiseError as error:
        raise Failed(f"{when} it cannot be continued: {error}") from error
    if repr(job.result(folder)) != repr(expected):
        raise Failed(f"{when} it has other numbers")


def fill(name: str) -> Callable[[Path, Path, Chance], int]:
    """The attack with a small disk in memory, which is then made larger."""

    def attack(prepared: Path, scratch: Path, chance: Chance) -> int:
        job = JOBS[name]
        _, expected = pickle.loads((prepared / "quiet.pickle").read_bytes())
        with small_disk(scratch / "disk", kilobytes=4 * chance.randint(1, 100)) as enlarge:
            folder = scratch / "disk" / "job"
            raised = error_of(job, folder)
            if raised is not None:
                require_instruction(raised, Path("disk"), errno.ENOSPC)
                during = isinstance(raised, nw.FileAccessError) and raised.during_work
                if not during:
                    raise Failed(f"a full disk is taken for a wrong path: {raised}")
            enlarge()
            finish(job, folder, expected, f"{name}: after a full disk")
        return 1

    return attack


@contextmanager
def small_disk(path: Path, kilobytes: int) -> Iterator[Callable[[], None]]:
    """A file system in memory at `path`; gives a function that makes it larger.

    Raises:
        Skipped: this user may not mount any.
    """
    path.mkdir()

    def mount(options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "none", str(path)]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False

    if not mount(f"size={kilobytes}k"):
        raise Skipped("this user may not mount a small disk")
    try:
        yield lambda: mount("remount,size=64m") or None  # type: ignore[func-returns-value]
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)


ATTACKS = (
    *(
        Attack(f"{name}: {os.strerror(code)}", EVERY, refuse(name, code), prepare(name), 600)
        for name in JOBS
        for code in CODES
    ),
    *(
        Attack(f"{name} on a full disk", 30, fill(name), prepare(name), 300)
        for name in ("training", "search", "report")
    ),
)
