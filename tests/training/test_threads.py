"""Threads of a step follow from its work, and workers share the cores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import netwise as nw
from netwise.training.threads import MULTIPLE_THREADS_FROM, cores, limit_cores, threads, threads_for


def test_threads_follow_from_the_work_alone() -> None:
    assert threads_for(MULTIPLE_THREADS_FROM - 1, 8) == 1
    assert threads_for(MULTIPLE_THREADS_FROM, 8) == 8
    assert threads_for(10**12, 1) == 1


def test_a_large_step_gets_one_thread_for_each_free_core() -> None:
    assert threads_for(MULTIPLE_THREADS_FROM, 2, used=0.3) == 2
    assert threads_for(MULTIPLE_THREADS_FROM, 2, used=0.9) == 1
    assert threads_for(MULTIPLE_THREADS_FROM, 2, used=2.0) == 1
    assert threads_for(MULTIPLE_THREADS_FROM, 16, used=5.2) == 11


def test_the_load_at_the_start_is_recorded_and_kept_on_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = torch.randn(60, 50), torch.arange(60) % 3
    recipe = nw.Recipe(
        data=nw.data.arrays(x, y), network=nw.MLP((50, 20_000, 3)), batch_size=36, epochs=2
    )
    monkeypatch.setattr("netwise.training.settings.cores", lambda: 2)
    monkeypatch.setattr("netwise.training.settings.used_by_others", lambda: 1.416)
    left = nw.fit(recipe, folder=tmp_path / "run", halt=lambda done, row: "enough")
    monkeypatch.setattr("netwise.training.settings.used_by_others", lambda: 0.0)
    run = nw.resume(tmp_path / "run")
    assert left.history.made_by.threads == run.history.made_by.threads == 1
    how = json.loads((tmp_path / "run" / "about.json").read_text())["how"]
    assert (how["threads"], how["busy_cores"]) == (1, 1.42)


def test_the_number_of_threads_is_recorded_and_can_be_set(small: nw.Recipe) -> None:
    assert nw.fit(small).history.made_by.threads == 1
    assert nw.fit(small, threads=2).history.made_by.threads == 2


@pytest.mark.parametrize(("value", "most"), [("1", 1), ("1,2", 1), ("0", 99), ("", 99), ("x", 99)])
def test_the_environment_limits_the_cores(
    monkeypatch: pytest.MonkeyPatch, value: str, most: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    every = cores()
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert cores() == min(every, most)


def test_a_limit_of_cores_holds_inside_and_at_least_one_is_left() -> None:
    before = cores()
    with limit_cores(1):
        assert cores() == 1
    with limit_cores(0):
        assert cores() == 1
    with limit_cores(before + 100):
        assert cores() == before
    assert cores() == before


def test_the_number_of_threads_is_put_back() -> None:
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
