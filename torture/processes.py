"""Processes that are forked from this one, so that they need not import torch again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_running: set[int] = set()


def fork(start: Callable[[Path], object], folder: Path) -> int:
    """Run a job in a process with a group of its own; what it prints goes to a file."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    child = os.fork()
    if child:
        with suppress(PermissionError, ProcessLookupError):
            os.setpgid(child, child)
        _running.add(child)
        return child
    try:
        os.setpgid(0, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        output = os.open(f"{folder}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        start(folder)
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def ended(child: int) -> bool:
    """Whether a process has ended; it can be waited for afterwards."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def wait(child: int) -> int:
    """Wait for the end of a process and of its group; its exit code."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    kill_group(child)
    _running.discard(child)
    return code


def kill_group(child: int) -> None:
    """Kill a process and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


def end_all() -> None:
    """Kill the processes that nobody has waited for."""
    for child in tuple(_running):
        kill_group(child)
        wait(child)


def log(folder: Path) -> str:
    """The last line that a job has printed."""
    path = Path(f"{folder}.log")
    lines = path.read_text().strip().splitlines() if path.exists() else []
    return lines[-1] if lines else "it printed nothing"
