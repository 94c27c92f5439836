"""Processes that work for this one, through joblib. They end with it, however it ends, and a signal
to it lets them store what they have done."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.process import BaseProcess
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from netwise.termination import TERMINATED, Terminated, raise_terminated
from netwise.training.interrupt import Interrupt

Task = TypeVar("Task")
Result = TypeVar("Result")
STOP_SECONDS = 4.0  # that workers have to end the current step and store their runs
POLL_SECONDS = 0.5  # between two looks of a worker whether its parent still runs


def run_in_processes(
    work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int
) -> Generator[Result, None, None]:
    """The results of `work` for each task, as they end: from `jobs` processes of this machine, from
    a cluster under `joblib.parallel_config`, or with `jobs` = 1 one after another in this process.
    A backend of joblib that gives no results before the last one, such as Ray's, gives all then.

    Ctrl-C and SIGTERM reach the workers; those that have not ended after `STOP_SECONDS` are killed.
    Workers of a parent that was killed end themselves. A handler of the program's own for one of
    the signals is left in place.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
        Terminated: after SIGTERM.
        TerminatedWorkerError: of joblib; a worker was killed from outside.
    """
    if jobs == 1:
        yield from map(work, tasks)
        return
    import joblib  # heavy
    from joblib.externals.loky.cloudpickle_wrapper import dumps
    from joblib.externals.loky.process_executor import BrokenProcessPool

    with _StopWorkers() as stop:
        calls = (
            joblib.delayed(_Call(os.getpid(), dumps((work, task))))()
            for task in tasks
            if not stop.requested()
        )
        backend, _ = joblib.parallel.get_active_backend()
        one_by_one = getattr(backend, "supports_return_generator", False)  # that of Ray does not
        # With more tasks on their way to workers than run, a stopped worker would begin the next.
        parallel = joblib.Parallel(
            n_jobs=jobs,
            batch_size=1,
            pre_dispatch="n_jobs",
            return_as="generator_unordered" if one_by_one else "list",
        )
        results: Any = parallel(calls)
        try:
            with closing(results) if one_by_one else nullcontext():
                yield from results
        except BrokenProcessPool:
            stop.raise_if_requested()
            raise
        stop.raise_if_requested()


class _StopWorkers(Interrupt):
    """While entered, the first SIGINT or SIGTERM is passed on to the workers as SIGTERM, and those
    that still run `STOP_SECONDS` later are killed, also where this has been left by then: a process
    waits for its workers when it ends. A second SIGINT raises KeyboardInterrupt at once."""

    def __enter__(self) -> Self:
        self._workers: list[BaseProcess] = []  # that were told to end
        self._told = threading.Event()  # or nothing is left to wait for
        # A thread from here on: a handler that starts one waits for locks that the interrupted code
        # may hold.
        threading.Thread(target=self._kill_late, daemon=True).start()
        return super().__enter__()

    def _replaces(self, handler: Any) -> bool:
        return handler in (signal.SIG_DFL, signal.default_int_handler, raise_terminated)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._told.set()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        is_first = not self.number
        super()._handle(number, frame)
        if not is_first:
            return
        self._workers = [each for each in multiprocessing.active_children() if _is_worker(each)]
        _signal(self._workers, signal.SIGTERM)
        if not self._workers:  # none has started, or they are elsewhere
            self.raise_if_requested()
        self._told.set()

    def _kill_late(self) -> None:
        self._told.wait()
        if self._workers:
            time.sleep(STOP_SECONDS)
            _signal([each for each in self._workers if each.is_alive()], _KILL)

    def raise_if_requested(self) -> None:
        """Raise what the signal that has arrived stands for."""
        if self.number:
            raise Terminated if self.number == signal.SIGTERM else KeyboardInterrupt


_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


def _signal(workers: Iterable[BaseProcess], number: int) -> None:
    for worker in workers:
        if worker.pid is not None:
            with suppress(OSError):  # it has just ended
                os.kill(worker.pid, number)


def _is_worker(process: BaseProcess) -> bool:
    """A worker of joblib on this machine; those of a cluster are started and ended by others."""
    return type(process).__module__.startswith("joblib.")


@dataclass(frozen=True)
class _Call:
    """What a worker is sent.

    Args:
        parent: the process that waits for the result.
        pickled: the work and its task; a worker can end with its parent before it has imported
            torch for them.
    """

    parent: int
    pickled: bytes

    def __call__(self) -> Any:
        if not _is_worker(multiprocessing.current_process()):
            return self._result()
        _end_after(self.parent)
        result = self._result()
        if os.getppid() != self.parent:
            os._exit(TERMINATED)  # nobody would read the result
        return result

    def _result(self) -> Any:
        work, task = pickle.loads(self.pickled)
        return work(task)


@cache
def _end_after(parent: int) -> None:
    """From now on this process ends soon after its parent. On Windows, where the number of a parent
    outlives it, idle workers end after some minutes."""
    threading.Thread(target=_wait_and_end, args=(parent,), daemon=True).start()


def _wait_and_end(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)  # a run is stored; all else ends at once
    time.sleep(STOP_SECONDS)
    os._exit(TERMINATED)
