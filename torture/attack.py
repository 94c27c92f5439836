"""One kind of attack, and how one attack of it is judged."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import netwise as nw
from torture.processes import end_all

REFUSED = object()  # the answer of a call that ended with an error of netwise
MOST_MEMORY = 1_000  # MB by which one attack may raise the largest memory of the process


class Failed(AssertionError):
    """An attack has shown a fault; the text says which."""


class Skipped(Exception):
    """An attack is not possible on this machine; the text says why."""


class NoAnswer(BaseException):
    """The time of an attack is over. No `except Exception` may take it for an error."""


class Chance(random.Random):
    """Random numbers of one attack, which depend on its kind and number alone."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"{name} {number}")
        self.number = number


@dataclass(frozen=True)
class Attack:
    """A kind of attack.

    Args:
        name: of the kind, such as "damaged checkpoints".
        count: how many attacks the whole suite makes.
        run: one attack: gets the prepared folder, an empty folder of its own, and random numbers.
            Returns how many tries it was, where that is
            not 1; raises `Failed`, or any other error, where netwise has failed.
        prepare: writes what is attacked into a folder, once. Default: nothing.
        seconds: after which an attack without an answer has failed.
    """

    name: str
    count: int
    run: Callable[[Path, Path, Chance], int | None]
    prepare: Callable[[Path], None] = lambda folder: None
    seconds: float = 60.0


@dataclass(frozen=True)
class Outcome:
    """What one attack has shown.

    Args:
        name, number: of the attack.
        tries: how many kills, files or pages it was.
        failure: what failed; "" where netwise survived.
        skipped: why it was not made; "" where it was.
        seconds: it took.
    """

    name: str
    number: int
    tries: int = 1
    failure: str = ""
    skipped: str = ""
    seconds: float = 0.0


def made(attack: Attack, number: int, home: Path) -> Outcome:
    """Make one attack.

    Args:
        attack: its kind.
        number: which one, from 0.
        home: folder for prepared files, which are kept, and for the attack's own, which are not.
    """
    prepared, scratch = home / "prepared" / attack.name.replace(" ", "-"), home / "scratch"
    if not (prepared / ".complete").exists():
        shutil.rmtree(prepared, ignore_errors=True)
        prepared.mkdir(parents=True)
        attack.prepare(prepared)
        (prepared / ".complete").touch()
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    started, memory = time.monotonic(), largest_memory()
    tries, failure, skipped = 1, "", ""
    try:
        with time_limit(attack.seconds):
            tries = attack.run(prepared, scratch, Chance(attack.name, number)) or 1
    except Skipped as reason:
        tries, skipped = 0, str(reason)
    except Failed as fault:
        failure = str(fault)
    except NoAnswer:
        failure = f"no answer in {attack.seconds:.0f} s"
    except Exception:
        failure = "".join(traceback.format_exc().splitlines(keepends=True)[-7:])
    finally:
        end_all()
    if not failure and largest_memory() - memory > MOST_MEMORY:
        failure = f"took {largest_memory() - memory:.0f} MB"
    shutil.rmtree(scratch, ignore_errors=True)
    seconds = round(time.monotonic() - started, 2)
    return Outcome(attack.name, number, tries, failure, skipped, seconds)


def answer(call: Callable[[], Any], *names: str) -> Any:
    """What a call returns, or `REFUSED` where it raises an error of netwise.

    Args:
        call: reads something damaged.
        names: of files; the error has to name one of them.

    Raises:
        Failed: the error names none of them.
    """
    try:
        return call()
    except nw.NetwiseError as error:
        if names and not any(name in str(error) for name in names):
            raise Failed(f"{type(error).__name__} names no file: {error}") from error
        return REFUSED


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Inside, `NoAnswer` is raised after this time."""

    def over(number: int, frame: FrameType | None) -> None:
        raise NoAnswer

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def largest_memory() -> float:
    """The largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
