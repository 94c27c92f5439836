"""The back-off for workers that die, against a simulation of what is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, strategies as st

from netwise.searches import supervise as module
from netwise.searches.supervise import (
    FINISHED,
    KILLED,
    SIGTERMED,
    STOPPED,
    Attempt,
    run_parallel,
    supervise,
)
from netwise.termination import Terminated


class Machine:
    """Stands for `run_parallel`: how each attempt ends and how much it finishes is given."""

    def __init__(self, work: int, attempts: Sequence[tuple[str, int]]) -> None:
        self.left, self.attempts = work, list(attempts)
        self.started: list[tuple[int, int]] = []  # (tasks, processes) of each attempt

    def __call__(self, work: Callable[[int], str], tasks: Sequence[int], jobs: int) -> str:
        self.started.append((len(tasks), jobs))
        end, done = self.attempts.pop(0) if self.attempts else (FINISHED, self.left)
        self.left -= done
        return end

    def supervise(self, jobs: int, max_lone_kills: int | None = None) -> str:
        return supervise(
            lambda task: FINISHED,
            lambda attempt: [0] * attempt.workers,
            lambda: self.left,
            jobs,
            max_lone_kills=max_lone_kills,
        )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Machine]:
    def make(work: int, *attempts: tuple[str, int]) -> Machine:
        made = Machine(work, attempts)
        monkeypatch.setattr(module, "run_parallel", made)
        return made

    return make


def test_each_kill_without_progress_halves_the_workers(machine: Callable[..., Machine]) -> None:
    made = machine(100, *[(KILLED, 0)] * 4)
    assert made.supervise(8) == FINISHED
    assert [tasks for tasks, _ in made.started] == [8, 4, 2, 1, 1]
    assert made.started[-1] == (1, 2)  # a lone worker has a process of its own


def test_progress_brings_all_workers_back(machine: Callable[..., Machine]) -> None:
    made = machine(100, (KILLED, 0), (KILLED, 3), (KILLED, 0))
    made.supervise(8)
    assert [tasks for tasks, _ in made.started] == [8, 4, 8, 4]


def test_no_more_workers_than_work(machine: Callable[..., Machine]) -> None:
    made = machine(3, (FINISHED, 2))
    made.supervise(8)
    assert made.started == [(3, 3), (1, 2)]


def test_a_lone_worker_killed_again_and_again_is_given_up(machine: Callable[..., Machine]) -> None:
    made = machine(2, *[(KILLED, 0)] * 10)
    assert made.supervise(2, max_lone_kills=3) == KILLED
    assert [tasks for tasks, _ in made.started] == [2, 1, 1, 1]
    assert machine(1, *[(KILLED, 0)] * 50).supervise(2) == FINISHED  # by default never


def test_a_signal_ends_it_at_once(machine: Callable[..., Machine]) -> None:
    made = machine(9, (FINISHED, 1), (STOPPED, 1))
    assert made.supervise(4) == STOPPED
    assert len(made.started) == 2
    assert made.left == 7


@given(st.integers(0, 20), st.integers(1, 6))
def test_work_in_this_process_is_done_to_its_end(work: int, per_call: int) -> None:
    left = [work]

    def run(task: int) -> str:
        left[0] = max(0, left[0] - per_call)
        return FINISHED

    assert supervise(run, lambda attempt: [0] * attempt.workers, lambda: left[0], 1) == FINISHED
    assert left[0] == 0


def test_one_job_runs_in_this_process_until_a_task_is_stopped() -> None:
    seen: list[int] = []

    def run(task: int) -> str:
        seen.append(task)
        return STOPPED if task == 2 else FINISHED

    assert run_parallel(run, [0, 1], 1) == FINISHED
    assert run_parallel(run, [1, 2, 3], 1) == STOPPED
    assert seen == [0, 1, 1, 2]


def test_sigterm_to_this_process_is_raised_and_to_a_worker_is_not() -> None:
    with pytest.raises(Terminated):
        run_parallel(lambda task: SIGTERMED, [0, 1], 1)
    assert run_parallel(_sigtermed, [0, 1], 2) == STOPPED


def _sigtermed(task: int) -> str:
    return SIGTERMED


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cores", lambda: 6)
    assert [Attempt(0, workers, False).cores for workers in (1, 2, 4, 6, 9)] == [6, 3, 1, 1, 1]
