"""What an initialization does, layer by layer."""

from __future__ import annotations

import pytest

import netwise as nw

DIGITS = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD())


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


def test_the_measured_weights_are_those_a_run_starts_from() -> None:
    recipe = DIGITS.but(init=nw.LSUV())
    first = nw.measure_initial_state(recipe)[0]
    module = nw.fit(recipe.but(optimizer=nw.SGD(lr=1e-30), epochs=1)).module
    assert first.weight == pytest.approx(float(module.layer1.weight.detach().std()), rel=1e-6)
    assert first.output == pytest.approx(1.0, abs=0.1)
    assert first.silent is not None
    assert 0.3 < first.silent < 0.7
    table = nw.initial_state_table(nw.measure_initial_state(recipe))
    assert table.splitlines()[0].split() == ["layer", "weights", "outputs", "gradients", "silent"]
