"""A program with two workers, for tests that send it signals:
`python worker_program.py FOLDER WORK`.

Each worker holds the lock FOLDER/NUMBER.lock, which the operating system releases when the worker
ends, and writes FOLDER/NUMBER.started once it is ready for a signal.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
import time
from pathlib import Path

from netwise.storage.locks import acquire_lock
from netwise.training.interrupt import Interrupt
from netwise.training.worker_processes import run_in_processes

LONG = 300.0
HUNG = 50.0  # seconds after which the program writes where its threads are: less than a test waits


class Worker:
    def __init__(self, folder: Path, work: str) -> None:
        self.folder, self.work = folder, work

    def __call__(self, number: int) -> str:
        with acquire_lock(self.folder / f"{number}.lock"):
            return str(getattr(self, self.work)(number))

    def has_started(self, number: int) -> None:
        (self.folder / f"{number}.started").touch()

    def sleep(self, number: int) -> str:
        self.has_started(number)
        time.sleep(LONG)
        return "slept"

    def train(self, number: int) -> str:
        """As `fit` does: a signal is a request, and what was done is stored."""
        with Interrupt() as interrupt:
            self.has_started(number)
            while not interrupt.requested():
                time.sleep(0.01)
            (self.folder / f"{number}.stored").touch()
        return "stored"

    def ignore(self, number: int) -> str:
        with Interrupt():
            self.has_started(number)
            end = time.monotonic() + LONG
            while time.monotonic() < end:
                time.sleep(1)
        return "ignored"


if __name__ == "__main__":
    faulthandler.dump_traceback_later(HUNG)
    # A shell that runs the tests in the background lets them ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, work = Path(sys.argv[1]), sys.argv[2]
    for result in run_in_processes(Worker(folder, work), range(4), 2):
        print(result)
