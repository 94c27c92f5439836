"""Many processes that write and read runs of one folder at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import netwise as nw
from torture.attack import Attack, Chance, Failed
from torture.damaged_runs import RECIPE, numbers
from torture.processes import fork, log, wait

WRITERS, READERS, AT_ONCE = 8, 8, 6


def write_and_read(prepared: Path, scratch: Path, chance: Chance) -> int:
    """Eight runs are trained while eight readers list, load and diagnose what is there."""
    home, stop = scratch / "runs", scratch / "stop"
    home.mkdir()
    writers = [fork(writing(number), home / f"run-{number}") for number in range(WRITERS)]
    readers = [fork(reading(home, stop), scratch / f"reader-{i}") for i in range(READERS)]
    ends = {f"run-{i}": wait(writer) for i, writer in enumerate(writers)}
    stop.touch()
    ends |= {f"reader-{i}": wait(reader) for i, reader in enumerate(readers)}
    for name, code in ends.items():
        if code != 0:
            place = home if name.startswith("run") else scratch
            raise Failed(f"{name} ended with code {code}: {log(place / name)}")
    for number in range(WRITERS):
        expected = nw.fit(RECIPE.but(seed=number))
        if repr(numbers(nw.load(home / f"run-{number}"))) != repr(numbers(expected)):
            raise Failed(f"run-{number} has other numbers than a run alone")
    return WRITERS + READERS


def writing(number: int) -> Callable[[Path], object]:
    return lambda folder: nw.fit(RECIPE.but(seed=number), folder=folder, checkpoint_every=3)


def reading(home: Path, stop: Path) -> Callable[[Path], object]:
    """Read until there is a file `stop`. A run that has just begun may be refused."""

    def read(folder: Path) -> None:
        while not stop.exists():
            for entry in nw.list_runs(home):
                if entry.ended == "damaged":
                    raise Failed(f"{entry.folder} is called damaged: {entry}")
                try:
                    history = nw.load_history(entry.folder)
                except nw.RunFolderError as error:
                    if "damaged" in str(error):
                        raise
                    continue
                nw.diagnose(history)
            time.sleep(0.05)

    return read


def begin_at_once(prepared: Path, scratch: Path, chance: Chance) -> int:
    """Six processes train into one folder: one run, whole, and five errors."""
    begin = time.monotonic() + 0.3

    def start(folder: Path) -> None:
        time.sleep(max(0.0, begin - time.monotonic()))
        nw.fit(RECIPE, folder=scratch / "run")

    children = [fork(start, scratch / f"process-{number}") for number in range(AT_ONCE)]
    codes = [wait(child) for child in children]
    errors = [log(scratch / f"process-{i}") for i, code in enumerate(codes) if code != 0]
    if len(errors) != AT_ONCE - 1:
        raise Failed(f"{AT_ONCE - len(errors)} of {AT_ONCE} processes trained into one folder")
    strange = [text for text in errors if "RunFolderError" not in text]
    if strange:
        raise Failed(f"an unclear error: {strange[0]}")
    if repr(numbers(nw.load(scratch / "run"))) != repr(numbers(nw.fit(RECIPE))):
        raise Failed("the run has other numbers than a run alone")
    return AT_ONCE


ATTACKS = (
    Attack("8 writers and 8 readers", 10, write_and_read, seconds=300),
    Attack("6 runs into one folder", 20, begin_at_once, seconds=120),
)
