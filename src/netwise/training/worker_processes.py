"""Processes that work for this one, through joblib. They end with it, however it ends, and a signal
to it lets them store what they have done."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import cache
from multiprocessing.process import BaseProcess
from types import FrameType, TracebackType
from typing import Any, TypeVar

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
    """While entered, the first SIGINT or SIGTERM is passed on to the workers as SIGTERM, and they
    are killed `STOP_SECONDS` later. A second SIGINT raises KeyboardInterrupt at once."""

    _killing: threading.Timer | None = None

    def _replaces(self, handler: Any) -> bool:
        return handler in (signal.SIG_DFL, signal.default_int_handler, raise_terminated)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._killing is not None:
            self._killing.cancel()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        is_first = not self.number
        super()._handle(number, frame)
        if not is_first:
            return
        if not _signal_workers(signal.SIGTERM):  # none has started, or they are elsewhere
            self.raise_if_requested()
        self._killing = threading.Timer(STOP_SECONDS, _signal_workers, [_KILL])
        self._killing.daemon = True
        self._killing.start()

    def raise_if_requested(self) -> None:
        """Raise what the signal that has arrived stands for."""
        if self.number:
            raise Terminated if self.number == signal.SIGTERM else KeyboardInterrupt


_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


def _signal_workers(number: int) -> bool:
    """Send a signal to all of joblib's workers on this machine; False where there are none."""
    children = multiprocessing.active_children()
    workers = [child.pid for child in children if _is_worker(child)]
    for pid in filter(None, workers):
        try:
            os.kill(pid, number)
        except OSError:
            continue  # it has just ended
    return bool(workers)


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
