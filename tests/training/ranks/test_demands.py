"""What several processes cannot train is refused before the first step, with what to write."""

from __future__ import annotations

from typing import Any

import pytest

import netwise as nw
from netwise.training.ranks.demands import problems_of_ranks
from netwise.training.ranks.ranks import ALONE, Ranks
from netwise.training.settings import RunOptions

TWO = Ranks(0, 2, "gloo")
RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)), optimizer=nw.SGD(), epochs=1)


def fields(recipe: nw.Recipe, ranks: Ranks = TWO, **options: Any) -> list[str]:
    samples = recipe.data.load()
    problems = problems_of_ranks(recipe, samples, ranks, RunOptions(**options))
    assert all(problem.reason for problem in problems)
    return [problem.field for problem in problems]


def test_a_plain_recipe_is_trained_by_two_and_by_one() -> None:
    assert fields(RECIPE) == []
    assert fields(RECIPE, ALONE) == []


def test_weights_are_shared_out_among_several_processes_only() -> None:
    assert fields(RECIPE, ALONE, shard=True) == ["shard"]
    assert fields(RECIPE, shard=True, watch_every=0) == []
    assert fields(RECIPE, shard=True, watch_every=5) == ["watch_every"]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"optimizer": nw.RMSProp()}, "optimizer"), ({"penalty": nw.L2(strength=0.1)}, "penalty")],
    ids=["optimizer", "penalty"],
)
def test_what_needs_whole_weights(change: dict[str, Any], field: str) -> None:
    assert fields(RECIPE.but(**change), shard=True, watch_every=0) == [field]
    assert fields(RECIPE.but(**change)) == []


def test_what_has_states_or_draws_of_its_own() -> None:
    assert fields(RECIPE.but(optimizer=nw.SimulatedAnnealing())) == ["optimizer"]
    machine = nw.Recipe(
        data=nw.data.digits(),
        network=nw.RBM(64, 8),
        optimizer=nw.SGD(),
        epochs=1,
        preprocess=(nw.Scale(),) if hasattr(nw, "Scale") else (),
    )
    assert "network" in fields(machine)


def test_batches_have_a_row_for_each_process() -> None:
    assert fields(RECIPE.but(batch_size=1)) == ["batch_size"]


def test_devices_are_one_for_each_process() -> None:
    assert fields(RECIPE, device="mps") == ["device"]
    assert "device" in fields(RECIPE, device="cuda:0")
    assert fields(RECIPE, Ranks(1, 2, "nccl", 10_000), device="cuda") == ["device"]
    assert fields(RECIPE, device="no device") == []  # the options themselves report it
