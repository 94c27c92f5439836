"""Which steps are watched."""

from __future__ import annotations

import pytest
import torch

from netwise.observe.sampling import FARTHEST, FIRST, Sampling


def watched(steps: int, sampling: Sampling) -> list[int]:
    at, found = 0, []
    while at < steps:
        found.append(at)
        at += sampling.distance(at + 1)
    return found


def test_the_first_steps_are_all_watched() -> None:
    assert watched(FIRST, Sampling()) == list(range(FIRST))


def test_long_runs_are_watched_in_few_steps_up_to_their_end() -> None:
    for steps in (300, 2_000, 20_000):
        found = watched(steps, Sampling())
        assert len(found) < 35 + steps / 50
        assert steps - found[-1] <= FARTHEST


@pytest.mark.parametrize("period", [2, 5, 10, 32])
def test_watched_steps_do_not_coincide_with_a_period(period: int) -> None:
    phases = {step % period for step in watched(20_000, Sampling())[20:]}
    assert len(phases) > period * 0.7


def test_a_given_distance_is_kept() -> None:
    assert watched(30, Sampling(every=7)) == [0, 7, 14, 21, 28]


def test_no_random_generator_is_used() -> None:
    before = torch.get_rng_state()
    watched(1000, Sampling())
    assert torch.equal(torch.get_rng_state(), before)
