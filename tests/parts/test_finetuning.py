"""Which layers are trained, and how fast."""

from __future__ import annotations

import pytest
from torch import nn

import netwise as nw
from netwise.parts.finetuning import layer_by_name, parameter_layers


def network() -> nn.Module:
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU()),
        nn.Flatten(),
        nn.Linear(2 * 36, 4),
        nn.Linear(4, 3),
    )


def test_layers_are_those_with_parameters_of_their_own() -> None:
    assert parameter_layers(network()) == ["0.0", "0.1", "2", "3"]
    assert parameter_layers(nn.Linear(2, 1)) == ["(network)"]
    module = network()
    assert layer_by_name(module, "0.1") is module[0][1]
    single = nn.Linear(2, 1)
    assert layer_by_name(single, "(network)") is single


def test_factors_follow_decay_then_rates_then_frozen_layers() -> None:
    tuning = nw.FineTune(freeze=("0.0",), rates=("0*=3", "0.1=5"), decay=0.5)
    assert tuning.factors(network()) == {"0.0": 0.0, "0.1": 5.0, "2": 0.5, "3": 1.0}
    assert nw.FineTune(freeze=("0",)).factors(network())["0.1"] == 0.0  # a module around layers


def test_unfreezing_goes_from_the_last_layer_to_the_first() -> None:
    names = ["a", "b", "c"]
    tuning = nw.FineTune(unfreeze_every=2)
    sizes = [len(tuning.trainable(names, epoch)) for epoch in range(7)]
    assert sizes == [1, 1, 2, 2, 3, 3, 3]
    assert tuning.trainable(names, 0) == {"c"}
    assert nw.FineTune().trainable(names, 0) == set(names)


def test_patterns_that_match_nothing_and_wrong_rates_are_refused() -> None:
    with pytest.raises(nw.DataError, match="no layer is called 'conv.*There are: 0.0, 0.1, 2, 3"):
        nw.FineTune(freeze=("conv*",)).factors(network())
    with pytest.raises(nw.WrongValue) as caught:
        nw.FineTune(rates=("a", "b=-1", "c=x", "d=2"))
    assert [problem.field for problem in caught.value.problems] == ["rates.0", "rates.1", "rates.2"]
    assert caught.value.problems[0].instead == '"conv*=0.1"'
