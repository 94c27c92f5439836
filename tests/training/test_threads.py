"""Threads of a step follow from its work, and workers share the cores."""

from __future__ import annotations

import torch

import netwise as nw
from netwise.training.threads import MULTIPLE_THREADS_FROM, cores, limit_cores, threads, threads_for


def test_threads_follow_from_the_work_alone() -> None:
    assert threads_for(MULTIPLE_THREADS_FROM - 1, 8) == 1
    assert threads_for(MULTIPLE_THREADS_FROM, 8) == 8
    assert threads_for(10**12, 1) == 1


def test_the_number_of_threads_is_recorded_and_can_be_set(small: nw.Recipe) -> None:
    assert nw.fit(small).history.made_by.threads == 1
    assert nw.fit(small, threads=2).history.made_by.threads == 2


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
