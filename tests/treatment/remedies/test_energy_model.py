"""Remedies for energy models and memories: what exactly each changes."""

from __future__ import annotations

import pytest

import netwise as nw

RBM = nw.Recipe(
    data=nw.data.digits(),
    preprocess=(nw.Binarise(),),
    network=nw.RBM(64, 16, visible_bias="zero", centred=False),
    loss=nw.CD(steps=3),
    optimizer=nw.SGD(lr=0.05),
)
MEMORY = nw.Recipe(data=nw.data.random_patterns(count=8), network=nw.Hopfield(100))
MLP = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)))


def reason(name: str, recipe: nw.Recipe) -> str:
    answer = nw.remedy(name).apply(recipe)
    assert isinstance(answer, nw.NotApplicable), answer
    return answer.reason


def test_visible_biases_start_at_the_base_rates() -> None:
    expected = RBM.but(network=nw.RBM(64, 16, visible_bias="base rates", centred=False))
    assert nw.remedy("begin_at_base_rates").apply(RBM) == expected
    assert "already" in reason("begin_at_base_rates", expected)


def test_units_are_centred() -> None:
    expected = RBM.but(network=nw.RBM(64, 16, visible_bias="zero", centred=True))
    assert nw.remedy("centre_units").apply(RBM) == expected
    assert reason("centre_units", expected) == "the units are centred already"


def test_rates_change_by_a_factor_of_ten() -> None:
    assert nw.remedy("raise_rate").apply(RBM) == RBM.but(optimizer=nw.SGD(lr=0.05 * 10))
    assert nw.remedy("slow_down").apply(RBM) == RBM.but(optimizer=nw.SGD(lr=0.05 / 10))
    fast = RBM.but(optimizer=nw.SGD(lr=0.2))
    assert reason("raise_rate", fast) == "ten times the rate would be above 1"


def test_chains_become_persistent_with_the_same_number_of_steps() -> None:
    persistent = RBM.but(loss=nw.PCD(steps=3))
    assert nw.remedy("use_persistent_chains").apply(RBM) == persistent
    assert "persistent already" in reason("use_persistent_chains", persistent)


@pytest.mark.parametrize(("steps", "expected"), [(1, 5), (3, 6), (60, 120)])
def test_at_least_five_gibbs_steps_or_twice_as_many(steps: int, expected: int) -> None:
    treated = nw.remedy("more_gibbs_steps").apply(RBM.but(loss=nw.CD(steps=steps)))
    assert treated == RBM.but(loss=nw.CD(steps=expected))


def test_patterns_are_stored_by_a_better_rule() -> None:
    assert nw.remedy("use_storkey").apply(MEMORY).network.rule == "storkey"
    inverse = nw.remedy("use_pseudo_inverse").apply(MEMORY)
    assert isinstance(inverse, nw.Recipe)
    assert inverse.network.rule == "pseudo-inverse"
    for name in ("use_storkey", "use_pseudo_inverse"):
        assert "already" in reason(name, inverse)


@pytest.mark.parametrize(
    "name",
    [
        "begin_at_base_rates",
        "centre_units",
        "raise_rate",
        "slow_down",
        "use_persistent_chains",
        "more_gibbs_steps",
        "use_storkey",
        "use_pseudo_inverse",
    ],
)
def test_other_networks_are_left_alone(name: str) -> None:
    assert reason(name, MLP)
