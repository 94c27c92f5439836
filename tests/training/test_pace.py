"""Slow steps: said once, only where other processes are the reason, and recorded."""

from __future__ import annotations

import itertools
import json
import warnings
from pathlib import Path

import pytest

import netwise as nw
from netwise.training import loop
from netwise.training.pace import FIRST_BLOCKS, MOST_QUESTIONS, Pace


def started(used: float | None, threads: int = 2, waited: float | None = None) -> Pace:
    """After quick steps of 1 ms. Each look shows so many more seconds without a core."""
    clock = itertools.count()
    pace = Pace(threads, 2, lambda: used, lambda: None if waited is None else waited * next(clock))
    for _ in range(FIRST_BLOCKS + 1):
        pace.add(64, 0.064)
    return pace


def slowed(pace: Pace, times: int = 20) -> Pace:
    for _ in range(times):
        pace.add(64, 1.28)
    return pace


def test_slow_steps_beside_other_processes_are_said_once_with_what_to_do() -> None:
    with pytest.warns(nw.SlowSteps) as caught:
        pace = slowed(started(1.6))
    assert [str(each.message) for each in caught] == [pace.sentence]
    assert pace.sentence == (
        "Steps take 20 times longer than at the start (20 instead of 1 ms): other processes use "
        "1.6 of 2 cores, and 2 threads wait for each other. One thread would help: interrupt the "
        "run, and train again with --threads 1, in Python fit(..., threads=1)."
    )


def test_a_run_with_one_thread_gets_another_advice() -> None:
    with pytest.warns(nw.SlowSteps, match="End them, or wait until they have ended"):
        slowed(started(1.6, threads=1))


def test_a_thread_that_waits_for_its_disk_does_not_accuse_other_processes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert slowed(started(1.6, threads=1, waited=0.01)).sentence == ""
    with pytest.warns(nw.SlowSteps, match="End them"):
        slowed(started(1.6, threads=1, waited=1.2))


@pytest.mark.parametrize("used", [None, 0.2])
def test_nothing_is_said_where_others_are_not_the_reason(used: float | None) -> None:
    asked: list[float | None] = []
    pace = started(used)
    pace.used = lambda: asked.append(used) or used  # type: ignore[func-returns-value]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        slowed(pace)
    assert pace.sentence == ""
    assert len(asked) == MOST_QUESTIONS


def test_a_slow_moment_and_slower_steps_from_the_start_are_no_finding() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pace = started(2.0)
        for _ in range(10):
            pace.add(64, 1.28)
            pace.add(64, 0.07)
            pace.add(0, 5.0)
        slowed(Pace(2, 2, lambda: 2.0))


def test_what_was_said_is_in_the_folder_of_the_run(
    small: nw.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = started(1.6)
    with pytest.warns(nw.SlowSteps):
        slowed(pace)
    monkeypatch.setattr(loop, "Pace", lambda *args: pace)
    nw.fit(small, folder=tmp_path / "run")
    about = json.loads((tmp_path / "run" / "about.json").read_text())
    assert about["pace"]["sentence"] == pace.sentence
    assert about["pace"]["seconds_per_step_at_start"] == pytest.approx(0.001)
