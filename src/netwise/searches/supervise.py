"""Workers in parallel, restarted in smaller numbers after they were killed.

Workers are killed from outside mostly because one task needs more memory than there is. As long as
kills bring no progress, each attempt starts half as many workers. A lone worker that is killed
identifies its task as the cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from joblib.externals.loky.process_executor import TerminatedWorkerError

from netwise.termination import Terminated
from netwise.training.threads import cores
from netwise.training.worker_processes import run_in_processes

T = TypeVar("T")
# How a worker, or a group of workers, ended: nothing left to do; a signal such as Ctrl-C; SIGTERM;
# a worker was killed from outside.
FINISHED, STOPPED, SIGTERMED, KILLED = "finished", "stopped", "sigtermed", "killed"
MAX_CRASHES = 3  # kills of a lone worker without progress, after which its task is given up


@dataclass(frozen=True)
class Attempt:
    """One start of workers.

    Args:
        number: from 0.
        workers: how many.
        after_kill: a worker was killed in the attempt before, and that attempt finished nothing.
    """

    number: int
    workers: int
    after_kill: bool

    @property
    def cores(self) -> int:
        """CPU cores of each worker."""
        return max(1, cores() // self.workers)


def supervise(
    work: Callable[[T], str],
    tasks: Callable[[Attempt], Sequence[T]],
    remaining: Callable[[], int],
    jobs: int | None,
    *,
    max_lone_kills: int | None = None,
) -> str:
    """Start workers until nothing remains; after kills without progress, half as many.

    Args:
        work: runs one task; returns FINISHED, STOPPED or SIGTERMED. Sent to other processes.
        tasks: what the workers of an attempt run.
        remaining: how many units of work are left, by what is stored.
        jobs: workers at a time, at most. None: one per core. 1: all in this process.
        max_lone_kills: kills of a lone worker in a row after which to give up. Default: never.

    Returns:
        FINISHED, STOPPED by a signal, or KILLED after `max_lone_kills`.

    Raises:
        Terminated: SIGTERM to this process ended the work.
    """
    limit, number, kills, lone_kills = jobs or cores(), 0, 0, 0
    while (left := remaining()) > 0:
        attempt = Attempt(number, max(1, min(limit, left) >> kills), kills > 0)
        # A lone worker still gets a process of its own, unless all work runs in this process.
        processes = 1 if limit == 1 else max(2, attempt.workers)
        end = run_parallel(work, tasks(attempt), processes)
        if end == STOPPED:
            return STOPPED
        kills = kills + 1 if end == KILLED and remaining() == left else 0
        lone_kills = lone_kills + 1 if kills and attempt.workers == 1 else 0
        if lone_kills and lone_kills == max_lone_kills:
            return KILLED
        number += 1
    return FINISHED


def run_parallel(work: Callable[[T], str], tasks: Sequence[T], jobs: int) -> str:
    """Run each task by `run_in_processes`, in `jobs` processes.

    Returns:
        STOPPED where Ctrl-C or a signal to a worker ended a task, KILLED where a worker was killed,
        else FINISHED.

    Raises:
        Terminated: SIGTERM ended them.
    """
    is_stopped = False
    try:
        with closing(run_in_processes(work, tasks, jobs)) as ends:
            for end in ends:
                is_stopped |= end in (STOPPED, SIGTERMED)
                if jobs == 1 and end == SIGTERMED:
                    raise Terminated
                if is_stopped and jobs == 1:
                    break
    except KeyboardInterrupt:
        return STOPPED
    except TerminatedWorkerError:
        return KILLED
    return STOPPED if is_stopped else FINISHED
