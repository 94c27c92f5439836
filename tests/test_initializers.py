"""Initializers against the spread that their papers give."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.initializers import INITIALIZERS, fans, initialize

FAN_IN, FAN_OUT = 400, 250
STD = {
    nw.ByNetwork(): math.sqrt(1 / (3 * FAN_IN)),
    nw.Normal(std=0.3): 0.3,
    nw.LeCun(): math.sqrt(1 / FAN_IN),
    nw.Glorot(): math.sqrt(2 / (FAN_IN + FAN_OUT)),
    nw.Glorot(shape="normal"): math.sqrt(2 / (FAN_IN + FAN_OUT)),
    nw.He(): math.sqrt(2 / FAN_IN),
    nw.He(gain=2.0): 2 * math.sqrt(2 / FAN_IN),
}


@pytest.mark.parametrize(("init", "std"), STD.items(), ids=repr)
def test_the_spread_is_the_published_one(init: nw.Initializer, std: float) -> None:
    w = init.sample((FAN_OUT, FAN_IN), fan_in=FAN_IN, fan_out=FAN_OUT, generator=torch.Generator().manual_seed(0))
    # 100 000 draws: the standard error of the spread is below 0.25 %, so 1.5 % is six of them
    assert float(w.std()) == pytest.approx(std, rel=0.015)
    assert abs(float(w.mean())) < 5 * std / math.sqrt(w.numel())


@pytest.mark.parametrize("cls", INITIALIZERS)
def test_equal_generators_give_equal_weights(cls: type[nw.Initializer]) -> None:
    one, other = (cls().sample((5, 4), fan_in=4, fan_out=5, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(one, other)
    assert one.dtype == torch.float32
    assert one.shape == (5, 4)


def test_fans_are_torchs() -> None:
    for layer in (nn.Linear(7, 5), nn.Conv2d(3, 8, (2, 5)), nn.Conv1d(4, 6, 3)):
        assert fans(layer) == nn.init._calculate_fan_in_and_fan_out(layer.weight)


def test_initialize_leaves_norm_layers_alone() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    initialize(module, nw.Constant(weight=0.5, bias=0.25), torch.Generator())
    assert torch.equal(module[0].weight, torch.full((4, 4), 0.5))
    assert torch.equal(module[2].bias, torch.full((2,), 0.25))
    assert torch.equal(module[1].weight, torch.ones(4))


def test_by_network_changes_nothing() -> None:
    module = nn.Linear(4, 4)
    before = module.weight.clone()
    initialize(module, nw.ByNetwork(), torch.Generator())
    assert torch.equal(module.weight, before)


def test_a_layer_without_inputs_is_refused() -> None:
    with pytest.raises(ValueError, match="fan_in = 0 must be at least 1"):
        nw.He().sample((1, 0), fan_in=0, fan_out=1, generator=torch.Generator())


def test_he_keeps_the_signal_of_relu_layers() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(2000, 300, generator=g)
    first = x
    for _ in range(10):
        x = torch.relu(x @ nw.He().sample((300, 300), fan_in=300, fan_out=300, generator=g).T)
    assert 0.7 < float(x.square().mean() / first.square().mean()) < 1.4
