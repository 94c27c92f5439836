"""The learning-rate threshold rule, and what a start does."""

from __future__ import annotations

import pytest
import torch

import netwise as nw

DIGITS = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD())


def test_the_rule_is_order_threshold_half() -> None:
    found = nw.rate_threshold(DIGITS)
    assert found is not None
    tried = dict(found.tried)
    assert tried[found.order]
    assert not tried[min(rate for rate in tried if rate > found.threshold)]
    assert all(fell for rate, fell in tried.items() if rate <= found.threshold)
    assert found.rate == found.threshold / 2
    assert found.order <= found.threshold < 10 * found.order


def test_the_ladder_goes_down_where_the_start_is_too_high() -> None:
    found = nw.rate_threshold(DIGITS, start=1000.0)
    assert found is not None
    assert found.tried[0] == (1000.0, False)
    assert found.rate < 50


def test_the_rate_is_one_that_trains() -> None:
    """Single batches of ten swing by more than a step gains: what falls is told batch by batch."""
    deep = DIGITS.but(network=nw.MLP((64, 60, 60, 60, 10)), init=nw.He(), batch_size=10, epochs=5)
    found = nw.rate_threshold(deep)
    assert found is not None
    accuracies = [
        nw.fit(nw.with_learning_rate(deep, rate), test=False).history.of("valid.accuracy").last
        for rate in (found.rate, 0.03, 0.05, 0.1)
    ]  # type: ignore[union-attr]
    assert accuracies[0] >= max(accuracies) - 0.05


@pytest.mark.parametrize(
    "start", [nw.He(), nw.Normal(std=0.5)], ids=["good start", "start far above guessing"]
)
def test_a_network_thrown_off_to_guessing_has_not_fallen(start: nw.Initializer) -> None:
    recipe = DIGITS.but(init=start, network=nw.MLP((64, 60, 60, 10)), batch_size=10)
    found = nw.rate_threshold(recipe)
    assert found is not None
    for rate, fell in found.tried:
        epoch = nw.fit(nw.with_learning_rate(recipe, rate).but(epochs=2), test=False).history.of(
            "valid.accuracy"
        )
        if fell and rate >= found.rate:
            assert epoch is not None
            assert epoch.last > 0.3, rate  # ten classes


def test_it_has_no_side_effect() -> None:
    torch.manual_seed(3)
    expected = torch.rand(5)
    before = nw.fit(DIGITS.but(epochs=1)).module.state_dict()
    text = nw.recipe_text(DIGITS)
    torch.manual_seed(3)
    first = nw.rate_threshold(DIGITS)
    assert torch.equal(torch.rand(5), expected)  # torch's own stream stands where it stood
    assert nw.recipe_text(DIGITS) == text
    after = nw.fit(DIGITS.but(epochs=1)).module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert nw.rate_threshold(DIGITS) == first


def test_a_network_that_learns_at_no_rate_gets_no_answer() -> None:
    still = nw.Recipe(
        data=nw.data.iris(),
        network=nw.MLP((4, 8, 3)),
        init=nw.Constant(),
        optimizer=nw.SGD(),
        loss=nw.CrossEntropy(),
    )
    dead = still.but(network=nw.MLP((4, 8, 3)), init=nw.Constant(bias=-5.0))
    found = nw.rate_threshold(dead)
    assert found is None or found.rate > 0
    with pytest.raises(ValueError, match="must be above 0"):
        nw.rate_threshold(DIGITS, start=0.0)


def test_the_rate_of_two_optimizers_is_the_firsts() -> None:
    both = DIGITS.but(optimizer=nw.SwitchOptimizer())
    assert nw.with_learning_rate(both, 0.5).optimizer.first.lr == 0.5  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("init", "grows"),
    [(nw.Normal(std=0.01), False), (nw.Normal(std=1.0), True)],
    ids=["too small", "too large"],
)
def test_a_bad_start_shows_layer_by_layer(init: nw.Initializer, grows: bool) -> None:
    recipe = DIGITS.but(network=nw.MLP((64, 50, 50, 50, 10)), init=init)
    rows = nw.measure_initial_state(recipe)
    assert [row.layer for row in rows] == ["layer1", "layer2", "layer3", "layer4"]
    outputs = [row.output for row in rows]
    assert outputs == sorted(outputs, reverse=not grows)
    good = [row.output for row in nw.measure_initial_state(recipe.but(init=nw.He()))]
    assert max(good) / min(good) < 10 < max(outputs) / min(outputs)


def test_what_is_looked_at_is_what_a_run_begins_with() -> None:
    recipe = DIGITS.but(init=nw.LSUV())
    first = nw.measure_initial_state(recipe)[0]
    module = nw.fit(recipe.but(optimizer=nw.SGD(lr=1e-30), epochs=1)).module
    assert first.weight == pytest.approx(float(module.layer1.weight.detach().std()), rel=1e-6)
    assert first.output == pytest.approx(1.0, abs=0.1)
    assert first.silent is not None
    assert 0.3 < first.silent < 0.7
    table = nw.initial_state_table(nw.measure_initial_state(recipe))
    assert table.splitlines()[0].split() == ["layer", "weights", "outputs", "gradients", "silent"]
