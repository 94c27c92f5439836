"""Patterns without labels."""

from __future__ import annotations

import torch

import netwise as nw


def test_the_encoder_problem_has_one_bit_in_each_group() -> None:
    x = nw.data.encoder_problem(units=8).load().train.x
    assert x.shape == (8, 16)
    assert torch.equal(x[:, :8], x[:, 8:])
    assert bool((x.sum(1) == 2).all())


def test_random_patterns_are_equal_for_equal_seeds_and_half_on() -> None:
    one, other = (
        nw.data.random_patterns(count=500, units=40, seed=s).load().train.x for s in (1, 2)
    )
    assert torch.equal(one, nw.data.random_patterns(count=500, units=40, seed=1).load().train.x)
    assert not torch.equal(one, other)
    assert abs(float(one.mean())) < 0.03
