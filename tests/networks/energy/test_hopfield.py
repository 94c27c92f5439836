"""Memories: against the formulas of the notes, brute force, and published capacities."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

import netwise as nw
from netwise.networks.energy.hopfield import AssociativeMemory, weights_of_patterns

RULES = ("hebb", "pseudo-inverse", "storkey")


def patterns(count: int, units: int, seed: int = 0) -> Tensor:
    return torch.randint(2, (count, units), generator=torch.Generator().manual_seed(seed)) * 2.0 - 1


def memory(p: Tensor, **fields: object) -> AssociativeMemory:
    made = nw.Hopfield(p.shape[1], **fields).build()  # type: ignore[arg-type]
    assert isinstance(made, AssociativeMemory)
    made.store(p)
    return made


def storkey_by_loops(p: Tensor) -> Tensor:
    """Storkey 1997, eq. 2 and 3, one number at a time."""
    n = p.shape[1]
    w = torch.zeros(n, n, dtype=torch.float64)
    for x in p.double():
        h = torch.zeros(n, n, dtype=torch.float64)
        for i in range(n):
            for j in range(n):
                h[i, j] = sum(float(w[i, k] * x[k]) for k in range(n) if k not in (i, j))
        new = w.clone()
        for i in range(n):
            for j in range(n):
                if i != j:
                    new[i, j] += (x[i] * x[j] - x[i] * h[j, i] - h[i, j] * x[j]) / n
        w = new
    return w


def test_weights_are_those_of_the_rules() -> None:
    p = patterns(3, 8)
    hebb = torch.stack([torch.outer(x, x) for x in p]).mean(0).fill_diagonal_(0)
    torch.testing.assert_close(memory(p, scale="patterns").weight, hebb)
    torch.testing.assert_close(memory(p).weight, hebb * 3 / 8)
    torch.testing.assert_close(weights_of_patterns(p, "storkey").double(), storkey_by_loops(p))
    projection = p.t() @ torch.linalg.inv(p @ p.t()) @ p
    torch.testing.assert_close(
        weights_of_patterns(p, "pseudo-inverse"), projection.fill_diagonal_(0)
    )


@settings(max_examples=30, deadline=None)
@given(
    st.integers(2, 40),
    st.integers(1, 10),
    st.integers(0, 500),
    st.sampled_from(RULES),
    st.sampled_from(["bipolar", "binary"]),
)
def test_energy_falls_at_each_flip_by_u_dx_and_recall_ends_where_no_unit_would_change(
    units: int, count: int, seed: int, rule: str, states: str
) -> None:
    m = memory(patterns(count, units, seed), rule=rule, states=states, sweeps=1000)
    start = patterns(1, units, seed + 1)
    recall = m.recall(start, trace=True)
    assert recall.trace is not None
    energies, odd = recall.trace
    assert len(energies) >= int(recall.flips)
    assert float(odd.abs().max()) < 1e-5 if len(odd) else True  # weights are float32
    assert bool((energies.diff() < 1e-5).all())
    assert bool(recall.converged.all())
    u, (low, high) = m.field(recall.states), m.values
    assert not bool(
        (((u > 1e-6) & (recall.states != high)) | ((u < -1e-6) & (recall.states != low))).any()
    )
    assert float(recall.energies[-1]) == pytest.approx(float(m.energy(recall.states)), abs=1e-5)


@pytest.mark.parametrize("order", ["random", "fixed"])
@pytest.mark.parametrize("states", ["bipolar", "binary"])
def test_many_at_once_end_where_a_plain_loop_ends(order: str, states: str) -> None:
    """The blocked recall against one unit and one sample at a time, with the same order."""
    p = patterns(25, 150)
    m = memory(p, order=order, states=states)
    start = patterns(30, 150, seed=9)
    recall = m.recall(start, seed=3)
    low, high = m.values
    for sample, ended in zip(start, recall.states, strict=True):
        x = sample.clone() if states == "bipolar" else (sample + 1) / 2
        g = torch.Generator().manual_seed(3)
        for _ in range(recall.sweeps):
            for i in (
                torch.randperm(150, generator=g) if order == "random" else torch.arange(150)
            ).tolist():
                u = float(m.weight[i].double() @ x.double() - m.threshold[i].double())
                if abs(u) > 1e-6:
                    x[i] = high if u > 0 else low
        assert torch.equal(x, ended)


def test_recall_leaves_what_it_was_given_alone() -> None:
    p = patterns(30, 60)
    m = memory(p)
    start = patterns(5, 60, seed=4)
    kept, stored_before = start.clone(), m.patterns.clone()
    m.recall(start)
    m.recall(m.patterns)
    assert torch.equal(start, kept)
    assert torch.equal(m.patterns, stored_before)


def test_asked_together_it_may_end_in_a_circle_of_two() -> None:
    m = nw.Hopfield(2, order="together", sweeps=50).build()
    m.store(torch.tensor([[1.0, 1.0]]))
    recall = m.recall(torch.tensor([[1.0, -1.0]]))
    assert not bool(recall.converged.all())
    assert recall.sweeps == 50


def test_binary_states_need_thresholds_erratum_e11() -> None:
    """0 and 1 in Hebb's rule, with thresholds 0, lose the patterns; weights of -1 and 1 with
    thresholds of half of them keep them."""
    p = patterns(5, 100)
    m = memory(p, states="binary")
    noisy = m.with_noise(0.1)
    assert float(m.overlap(m.recall(noisy).states).mean()) == 1.0
    bits = (p + 1) / 2  # by the letter: w = mean of x_i x_j with 0 and 1, thresholds 0
    m.weight.copy_((bits.t() @ bits / 5).fill_diagonal_(0))
    m.threshold.zero_()
    wrong = m.recall(noisy).states
    assert float(wrong.mean()) > 0.9  # all units switch on
    assert float(((wrong > 0.5) == (p > 0)).float().mean()) < 0.65


def test_recall_ends_far_from_energy_0_erratum_e12() -> None:
    m = memory(patterns(5, 100), scale="patterns")
    assert float(m.recall(m.with_noise(0.2)).energies[-1].max()) < -100


def test_crosstalk_above_1_is_what_makes_a_stored_bit_unstable() -> None:
    p = patterns(30, 80)
    m = memory(p)
    by_hand = torch.tensor(
        [
            [
                -p[v, i] / 80 * sum(float(p[q, i] * (p[q] @ p[v])) for q in range(30) if q != v)
                for i in range(0, 80, 13)
            ]
            for v in range(3)
        ]
    )
    torch.testing.assert_close(m.crosstalk()[:3, ::13], by_hand, rtol=1e-4, atol=1e-4)
    # With zero diagonal the signal is (N - 1) / N + ... of the unit's own weight: u x = 1 - C - P /
    # N.
    torch.testing.assert_close(m.field(p) * p, 1 - m.crosstalk() - 30 / 80, rtol=1e-4, atol=1e-4)
    unstable = (m.field(p) * p < 0).any(1).float().mean()
    assert m.unstable_share() == pytest.approx(float(unstable))


@pytest.mark.parametrize(
    ("rule", "load", "kept"),
    [
        ("hebb", 0.05, True),
        ("hebb", 0.25, False),
        ("storkey", 0.2, True),
        ("pseudo-inverse", 0.45, True),
    ],
)
def test_rules_hold_as_much_as_they_can(rule: str, load: float, kept: bool) -> None:
    m = memory(patterns(round(load * 200), 200), rule=rule)
    overlap = float(m.overlap(m.recall(m.with_noise(0.05)).states).mean())
    assert (overlap > 0.97) == kept


def test_the_capacity_of_hebbs_rule_is_the_published_one() -> None:
    """Amit, Gutfreund, Sompolinsky 1985: retrieval breaks down near 0.138 patterns for each unit; N
    = 1000, mean of two memories."""
    found = {load: [] for load in (0.12, 0.17)}
    for load, overlaps in found.items():
        for seed in range(2):
            m = memory(patterns(round(load * 1000), 1000, seed), order="together", sweeps=60)
            overlaps.append(float(m.overlap(m.recall(m.patterns).states).mean()))
    assert sum(found[0.12]) / 2 > 0.98
    assert sum(found[0.17]) / 2 < 0.85


def test_endings_of_random_starts_add_up_and_hold_negatives() -> None:
    told = memory(patterns(3, 50)).recall_outcomes(300)
    assert sum(told.values()) == pytest.approx(1)
    assert told["negative"] > 0.1  # -x is as stable as x
    assert told["spurious"] > 0


def test_a_modern_memory_holds_more_patterns_than_units_and_its_energy_falls() -> None:
    p = torch.randn(500, 64, generator=torch.Generator().manual_seed(0))
    m = nw.ModernHopfield(64, beta=2.0).build()
    m.store(p)
    noisy = p + 0.5 * torch.randn(500, 64, generator=torch.Generator().manual_seed(1))
    recall = m.recall(noisy)
    assert float(((recall.states - p).norm(dim=1) < 0.05 * p.norm(dim=1)).float().mean()) > 0.95
    assert bool((recall.energies.diff(dim=0) < 1e-4).all())
    assert float(recall.energies.min()) >= -1e-4


def test_one_step_of_a_modern_memory_is_attention() -> None:
    p, x = torch.randn(7, 5), torch.randn(3, 5)
    m = nw.ModernHopfield(5, beta=0.7, steps=1).build()
    m.store(p)
    wanted = torch.nn.functional.scaled_dot_product_attention(x[None], p[None], p[None], scale=0.7)[
        0
    ]
    torch.testing.assert_close(m.recall(x).states, wanted)


def test_other_values_are_refused_with_what_to_do() -> None:
    with pytest.raises(nw.DataError, match="Binarise"):
        memory(torch.rand(2, 4))
    with pytest.raises(nw.DataError, match="5 numbers, and the memory has 4"):
        nw.Hopfield(4).build().store(torch.ones(1, 5))


def recipe(**changes: object) -> nw.Recipe:
    data = nw.data.arrays(patterns(6, 100).numpy(), [0, 1, 0, 1, 0, 1], valid=0.0, test=0.0)
    return nw.Recipe(data=data, network=nw.Hopfield(100)).but(**changes)


def test_a_recipe_stores_its_training_part_and_tells_what_it_finds_again(tmp_path: Path) -> None:
    run = nw.fit(recipe(), folder=tmp_path / "run")
    assert run.history.ended.sentence == "6 patterns stored in 100 units."
    assert run.history.of("memory.load").last == pytest.approx(0.06)
    assert run.history.of("memory.unstable").last == 0
    assert run.score is not None
    assert run.score.value == 1.0
    again = nw.load(tmp_path / "run")
    assert torch.equal(again.module.patterns, run.module.patterns)
    noisy = run.module.with_noise(0.1)
    assert torch.equal(again.outputs(noisy.numpy()), run.outputs(noisy.numpy()))
    with pytest.raises(nw.RunFolderError, match="has ended"):
        nw.resume(tmp_path / "run")


def test_grey_patterns_are_refused_before_any_work() -> None:
    with pytest.raises(nw.WrongValue, match="Binarise"):
        nw.fit(nw.Recipe(data=nw.data.digits(), network=nw.Hopfield(64)))
    with pytest.raises(nw.WrongValue, match="100 numbers. Write 100"):
        nw.fit(recipe(network=nw.Hopfield(99)))
