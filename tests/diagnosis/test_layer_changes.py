"""What training did to the weights of each layer, against weights and gradients of their own."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.diagnosis.layer_changes import LayerChange, layer_changes

PLAIN = nw.Recipe(
    data=nw.data.digits(), network=nw.MLP(widths=(64, 16, 10)), epochs=3, batch_size=50
)


def known(value: float | None) -> float:
    assert value is not None
    return value


def first_layer(recipe: nw.Recipe) -> LayerChange:
    return layer_changes(nw.fit(recipe).history)[0]


def test_l1_takes_weights_to_zero_where_l2_does_not() -> None:
    slow = PLAIN.but(epochs=15, optimizer=nw.SGD(lr=0.1))
    l1, l2 = (
        first_layer(slow.but(penalty=p)) for p in (nw.L1(strength=3e-3), nw.L2(strength=3e-3))
    )
    assert known(l1.small_first) < 0.03
    assert known(l1.small_last) > 0.1 > known(l2.small_last)


def test_a_step_of_descent_gives_each_weight_the_rate() -> None:
    row = first_layer(PLAIN.but(optimizer=nw.SGD(lr=0.05)))
    assert row.effective_rate == pytest.approx(0.05, rel=1e-3)
    adam = first_layer(PLAIN.but(optimizer=nw.Adam(lr=0.05)))
    assert known(adam.effective_rate) > 0.1


def watched(mean: float, batch: int, rate: float = 0.02) -> LayerChange:
    """One linear unit under `nw.watch`, on inputs with this mean."""
    torch.manual_seed(0)
    module = torch.nn.Linear(10, 1)
    optimizer = torch.optim.SGD(module.parameters(), lr=rate)
    right = torch.randn(10)
    with nw.watch(module) as watcher:
        for _ in range(60):
            x = torch.rand(batch, 10) - 0.5 + mean
            loss = ((module(x)[:, 0] - x @ right) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            watcher.step(loss)
    return layer_changes(watcher.history())[0]


def test_positive_inputs_give_all_weights_of_a_unit_gradients_of_one_sign() -> None:
    assert watched(mean=0.5, batch=1).signs_agree == pytest.approx(1.0)
    assert known(watched(mean=0.0, batch=1).signs_agree) < 0.5


def test_steps_that_are_too_long_turn_back() -> None:
    smooth, long = watched(0.0, 64, rate=0.05), watched(0.5, 64, rate=0.35)
    assert known(smooth.turns_back) < 0.2 < 0.6 < known(long.turns_back)


def test_what_was_not_recorded_is_left_out() -> None:
    empty = nw.History(series={}, layers=(nw.Layer("layer1", "Linear", 2, 3),))
    assert layer_changes(empty) == ()
    assert LayerChange("a", 0.5, None, 0.01, None, None, None).cells() == (
        "a", "0.50", "-", "1.0 %", "-", "-", "-",
    )  # fmt: skip
