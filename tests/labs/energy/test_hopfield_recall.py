"""Recall of Hopfield networks against rules written out for each unit, and known capacity."""

from __future__ import annotations

import math

import pytest
import torch

from netwise.labs.energy.hopfield_recall import (
    agreement_of_binary_states,
    capacity_criteria,
    crossing,
    energy_errors,
    memory_of,
    noise_criteria,
    random_patterns,
    recall_quality,
)
from netwise.labs.lab_definition import LabResult


def test_random_patterns_are_fair_and_repeat() -> None:
    patterns = random_patterns(200, 100, 3)
    assert set(patterns.unique().tolist()) == {-1.0, 1.0}
    assert abs(float(patterns.mean())) < 0.03  # four standard errors of 20,000 fair coins
    assert torch.equal(patterns, random_patterns(200, 100, 3))
    assert not torch.equal(patterns, random_patterns(200, 100, 4))


def test_a_memory_has_the_weights_of_hebbs_rule() -> None:
    patterns = random_patterns(3, 12, 0)
    weight = memory_of(patterns).weight
    for i in range(12):
        for j in range(12):
            expected = 0.0 if i == j else sum(float(p[i] * p[j]) for p in patterns)
            ratio = float(weight[i, j]) / float(weight[0, 1] / sum(p[0] * p[1] for p in patterns))
            assert ratio == pytest.approx(expected, abs=1e-4)


def test_few_patterns_are_recalled_exactly_and_many_are_lost() -> None:
    low = recall_quality(100, 0.02, seeds=(0, 1))
    assert low == (1.0, 1.0, 1.0)
    high = recall_quality(100, 0.5, seeds=(0, 1))
    assert high.overlap < 0.6
    assert high.exact < 0.1
    assert high.from_noise < high.overlap + 0.1


def test_a_stable_pattern_is_what_exact_recall_counts() -> None:
    """A pattern is recalled exactly if and only if no unit's field opposes it. With 64 units the
    weights are exact in binary, so that a field of 0 is 0."""
    patterns = random_patterns(10, 64, 0)
    weight = (patterns.t() @ patterns).fill_diagonal_(0)
    stable = ((patterns @ weight) * patterns >= 0).all(1).float().mean()
    assert recall_quality(64, 10 / 64, seeds=(0,)).exact == pytest.approx(float(stable))
    assert 0 < float(stable) < 1


def test_a_crossing_is_interpolated_and_may_be_absent() -> None:
    assert crossing((0.1, 0.2, 0.3), [1.0, 0.95, 0.85], 0.9) == pytest.approx(0.25)
    assert crossing((0.1, 0.2, 0.3), [1.0, 0.9, 0.5], 0.9) == pytest.approx(0.2)
    assert math.isnan(crossing((0.1, 0.2), [1.0, 0.99], 0.9))


def test_the_energy_falls_by_the_field_times_the_change() -> None:
    patterns = random_patterns(4, 60, 1)
    error, energy = energy_errors(memory_of(patterns), 1)
    assert error < 1e-9
    # From 25 % noise one of four patterns in 60 units is restored; its energy is a closed form.
    weight = memory_of(patterns).weight.double()
    states = patterns.double()
    expected = -0.5 * ((states @ weight) * states).sum(1)
    assert min(abs(energy - float(e)) for e in expected) < 1e-6 * abs(energy)


def test_binary_states_with_thresholds_of_0_lose_the_patterns() -> None:
    """All weights are positive or 0, so every unit with a field becomes 1: about half are wrong."""
    assert agreement_of_binary_states(seeds=(0, 1)) == pytest.approx(0.5, abs=0.1)


CAPACITY = {
    "N = 1000, P/N = 0.13: overlap from the pattern": 0.98,
    "N = 1000, P/N = 0.16: overlap from the pattern": 0.5,
    "N = 1000: P/N where the overlap crosses 0.9": 0.145,
    "N = 1000, P/N = 0.1: found again exactly": 0.3,
}
NOISE = {
    "random patterns, Hebb, 25 % flipped": 1.0,
    "largest |dE + u dx|": 1e-12,
    "highest final energy": 0.0,
    "0 and 1 by the letter: agreement with the pattern": 0.99,
    "digits, Hebb, 10 % flipped": 0.1,
    "digits, pseudo-inverse, 10 % flipped": 1.0,
}


def test_l18_is_refuted_by_a_capacity_of_a_quarter_or_none() -> None:
    assert LabResult({}, capacity_criteria(CAPACITY), "", {}).verdict == "confirmed"
    small = {**CAPACITY, "N = 1000, P/N = 0.13: overlap from the pattern": 0.4}
    small["N = 1000: P/N where the overlap crosses 0.9"] = 0.11
    assert LabResult({}, capacity_criteria(small), "", {}).verdict == "partly confirmed"
    never = {**CAPACITY, "N = 1000: P/N where the overlap crosses 0.9": math.nan}
    assert [c.holds for c in capacity_criteria(never)] == [True, True, False, True]


def test_l19_needs_an_energy_of_0() -> None:
    assert all(criterion.holds for criterion in noise_criteria(NOISE))
    negative = noise_criteria({**NOISE, "highest final energy": -380.0})
    assert [criterion.holds for criterion in negative] == [True, True, False, True, True, True]
    assert not noise_criteria({**NOISE, "digits, Hebb, 10 % flipped": 0.9})[4].holds
