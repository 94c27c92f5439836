"""L37: what is measured of the weights, and criteria that can fail."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.starts.zero_weights import (
    CONTROL,
    difference_of_units,
    largest_weight,
    zero_criteria,
)


def test_differences_of_units_are_relative() -> None:
    module = nw.MLP((2, 3, 2)).build()
    with torch.no_grad():
        for p in module.parameters():
            p.zero_()
        assert difference_of_units(module) == largest_weight(module) == 0
        module.layer1.weight += torch.tensor([4.0, 2.0])  # type: ignore[union-attr]
        assert difference_of_units(module) == 0
        module.layer1.weight[2, 0] = 3.0  # type: ignore[union-attr, index]
    assert difference_of_units(module) == pytest.approx(1 / 4)
    assert largest_weight(module) == 4


@pytest.mark.parametrize("activation", [nw.Tanh(), nw.ReLU()])
def test_weights_of_zero_stay_exactly_zero(activation: nw.Activation) -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(),
        network=nw.MLP((64, 8, 10), activation=activation),
        init=nw.Constant(weight=0.0),
        optimizer=nw.SGD(lr=0.5),
        epochs=1,
    )
    assert largest_weight(nw.fit(recipe, watch_every=0).module) == 0


def test_l37_can_be_confirmed_and_refuted() -> None:
    names = ("tanh, zeros", "ReLU, zeros", "sigmoid, zeros", CONTROL)
    what = ("accuracy", "largest weight", "largest difference of hidden units")
    numbers = dict.fromkeys((f"{name}: {each}" for name in names for each in what), 0.0)
    assert LabResult({}, zero_criteria(numbers), "").verdict == "confirmed"
    assert LabResult({}, zero_criteria(dict.fromkeys(numbers, 0.6)), "").verdict == "refuted"
    learning = numbers | {"sigmoid, zeros: accuracy": 0.56}
    assert LabResult({}, zero_criteria(learning), "").verdict == "partly confirmed"
