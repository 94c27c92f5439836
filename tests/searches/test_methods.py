"""Methods by themselves: their stages, the samplers that they name, and their rungs."""

from __future__ import annotations

import itertools

import optuna
import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise.searches.methods import METHODS, narrowed

RATE = nw.axes.Log("optimizer.lr", 1e-4, 1.0)
KIND = nw.axes.Choice("optimizer.kind", ("SGD", "Momentum", "Adam"))
SPACE = nw.Space((RATE, KIND, nw.axes.Integer("width", 4, 64)))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_every_method_has_a_sampler_and_a_stage(method: type[nw.SearchMethod]) -> None:
    made = method()
    assert isinstance(made.sampler(0), optuna.samplers.BaseSampler)
    rungs = made.rungs(9)
    assert (rungs is not None) == isinstance(made, nw.Halving)
    assert made.stages >= 1
    first = made.stage(0, SPACE, 12, 9, 0, ())
    assert first.trials >= 1
    assert not first.queue or len(first.queue) == first.trials
    assert made.ranking_stage in (None, made.stages - 1)
    assert made.fixes_trials == (first.trials == made.stage(0, SPACE, 99, 9, 0, ()).trials)


def test_a_grid_is_the_product_of_the_values_of_its_axes() -> None:
    queue = nw.Grid(3).stage(0, SPACE, 0, 1, 0, ()).queue
    product = list(itertools.product((1e-4, 1e-2, 1.0), KIND.options, (4, 34, 64)))
    assert [tuple(point.values()) for point in queue] == product


def test_a_grid_leaves_out_inactive_axes() -> None:
    momentum = nw.axes.Linear(
        "optimizer.momentum", 0.0, 0.9, when="optimizer.kind", among=("Momentum",)
    )
    queue = nw.Grid(2).stage(0, nw.Space((KIND, momentum)), 0, 1, 0, ()).queue
    assert [point.get("optimizer.momentum") for point in queue] == [None, 0.0, 0.9, None]


@given(st.integers(3, 200), st.integers(2, 5), st.integers(1, 100), st.integers(0, 5))
def test_stages_from_coarse_to_fine_use_all_trials_and_get_longer(
    trials: int, rounds: int, epochs: int, seed: int
) -> None:
    method = nw.CoarseToFine(rounds=rounds)
    records: list[nw.TrialRecord] = []
    lengths, counts = [], []
    for number in range(rounds):
        stage = method.stage(number, SPACE, trials, epochs, seed, records)
        lengths.append(stage.epochs)
        counts.append(stage.trials)
        for point in stage.queue:
            value = -abs(RATE.fraction_of(point["optimizer.lr"]) - 0.5)
            records.append(nw.TrialRecord(len(records), number, point, value))
    assert lengths == sorted(lengths)
    assert lengths[-1] == epochs
    if trials >= 2**rounds:
        assert sum(counts) == trials
        assert counts[0] >= counts[-1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_a_narrowed_space_holds_the_good_points(fractions: list[float]) -> None:
    best = [
        nw.TrialRecord(i, 0, {axis.name: axis.value_at(fraction) for axis in SPACE.axes}, value=1.0)
        for i, fraction in enumerate(fractions)
    ]
    narrow = narrowed(SPACE, best)
    for record in best:
        for axis in narrow.axes:
            value = record.point[axis.name]
            if isinstance(axis, nw.axes.Choice):
                assert value in axis.options
            else:
                assert axis.low * (1 - 1e-9) <= value <= axis.high * (1 + 1e-9)
    rate = narrow.axis("optimizer.lr")
    assert RATE.fraction_of(rate.high) - RATE.fraction_of(rate.low) >= 0.0999 / 2  # at an end: half


def test_the_worst_of_a_population_continue_from_the_best_with_changed_settings() -> None:
    method = nw.Population(members=4, generations=3, replaced=0.25, jump=2.0)
    space = nw.Space((RATE, KIND))
    first = method.stage(0, space, 0, 30, 0, ())
    assert first.epochs == 10
    assert first.parents == (None,) * 4
    records = [
        nw.TrialRecord(i, 0, point, value=float(i), folder=f"trials/{i}")
        for i, point in enumerate(first.queue)
    ]
    second = method.stage(1, space, 0, 30, 0, records)
    assert second.parents == (3, 2, 1, 3)  # trial 0, the worst, continues from the best
    assert second.queue[:3] == tuple(records[i].point for i in (3, 2, 1))
    old, new = records[3].point, second.queue[3]
    assert new["optimizer.kind"] == old["optimizer.kind"]  # its weights fit no other network
    factor = new["optimizer.lr"] / old["optimizer.lr"]
    at_end = new["optimizer.lr"] in (RATE.low, RATE.high)
    assert factor == pytest.approx(2.0) or factor == pytest.approx(0.5) or at_end


def test_the_same_seed_draws_the_same_population() -> None:
    draw = nw.Population().stage(0, SPACE, 0, 10, 5, ()).queue
    assert draw == nw.Population().stage(0, SPACE, 0, 10, 5, ()).queue
    assert draw != nw.Population().stage(0, SPACE, 0, 10, 6, ()).queue
