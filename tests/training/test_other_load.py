"""What other processes use is read from the counts of Linux, for the cores of this process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netwise.training import other_load

COUNTS = """cpu  1 1 1 1 1 1 1 1 0 0
cpu0 100 10 20 900 5 3 2 1 50 0
cpu1 200 0 30 800 5 0 0 0 0 0
cpu2 999 999 999 0 0 0 0 0 0 0
intr 1
"""


@pytest.fixture
def counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "stat"
    file.write_text(COUNTS)
    monkeypatch.setattr(other_load, "_COUNTS", file)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    return file


def test_seconds_are_those_of_the_cores_of_this_process(counts: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    assert other_load._busy_seconds() == (136 + 230) / ticks  # neither idle nor waiting


def test_own_work_is_not_that_of_others(counts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, own, clock = iter([10.0, 10.3]), iter([5.0, 5.1]), iter([0.0, 0.2])
    monkeypatch.setattr(other_load, "_busy_seconds", lambda: next(seconds))
    monkeypatch.setattr(other_load.time, "process_time", lambda: next(own))
    monkeypatch.setattr(other_load.time, "monotonic", lambda: next(clock))
    assert other_load.used_by_others(0.0) == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["", "cpu0 x", "cpu0 1 2"])
def test_counts_in_another_form_tell_nothing_or_nothing_wrong(counts: Path, text: str) -> None:
    counts.write_text(text)
    assert other_load._busy_seconds() in (None, 0.0, 3 / os.sysconf("SC_CLK_TCK"))
    counts.unlink()
    assert other_load.used_by_others(0.0) is None
