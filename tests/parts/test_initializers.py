"""Initializers against the spread that their papers give."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import kstest, truncnorm
from torch import nn

import netwise as nw
from netwise.parts.initializers import INITIALIZERS, fans, initialize

FAN_IN, FAN_OUT = 400, 250
STD = {
    nw.ModuleDefault(): math.sqrt(1 / (3 * FAN_IN)),
    nw.Normal(std=0.3): 0.3,
    nw.LeCun(): math.sqrt(1 / FAN_IN),
    nw.Glorot(): math.sqrt(2 / (FAN_IN + FAN_OUT)),
    nw.Glorot(shape="normal"): math.sqrt(2 / (FAN_IN + FAN_OUT)),
    nw.He(): math.sqrt(2 / FAN_IN),
    nw.He(gain=2.0): 2 * math.sqrt(2 / FAN_IN),
}


@pytest.mark.parametrize(("init", "std"), STD.items(), ids=repr)
def test_the_spread_is_the_published_one(init: nw.Initializer, std: float) -> None:
    w = init.sample(
        (FAN_OUT, FAN_IN),
        fan_in=FAN_IN,
        fan_out=FAN_OUT,
        generator=torch.Generator().manual_seed(0),
    )
    # 100 000 draws: the standard error of the spread is below 0.25 %, so 1.5 % is six of them
    assert float(w.std()) == pytest.approx(std, rel=0.015)
    assert abs(float(w.mean())) < 5 * std / math.sqrt(w.numel())


@pytest.mark.parametrize("cls", INITIALIZERS)
def test_equal_generators_give_equal_weights(cls: type[nw.Initializer]) -> None:
    one, other = (
        cls().sample((5, 4), fan_in=4, fan_out=5, generator=torch.Generator().manual_seed(7))
        for _ in range(2)
    )
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
    initialize(module, nw.ModuleDefault(), torch.Generator())
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


def test_truncated_normal_is_scipys() -> None:
    w = nw.Normal(std=0.5, truncated=True).sample(
        (300, 300), fan_in=300, fan_out=300, generator=torch.Generator().manual_seed(0)
    )
    assert float(w.abs().max()) <= 1.0
    assert float(w.std()) == pytest.approx(0.5 * float(truncnorm(-2, 2).std()), rel=0.01)
    assert kstest(w.flatten().numpy() / 0.5, truncnorm(-2, 2).cdf).pvalue > 0.01


def test_the_notes_starts_have_biases_from_the_normal_distribution() -> None:
    for init in (nw.Normal(std=1.0, bias_std=1.0), nw.LeCun(bias_std=1.0)):
        b = init.sample_bias(20_000, generator=torch.Generator().manual_seed(0))
        assert float(b.std()) == pytest.approx(1.0, rel=0.03)
        assert abs(float(b.mean())) < 0.03


def test_uniform_and_he_uniform_have_their_reach() -> None:
    g = torch.Generator().manual_seed(0)
    w = nw.He(shape="uniform").sample(
        (FAN_OUT, FAN_IN), fan_in=FAN_IN, fan_out=FAN_OUT, generator=g
    )
    assert float(w.abs().max()) == pytest.approx(math.sqrt(6 / FAN_IN), rel=1e-3)
    assert float(w.std()) == pytest.approx(math.sqrt(2 / FAN_IN), rel=0.015)
    w = nw.Uniform(reach=0.2).sample((FAN_OUT, FAN_IN), fan_in=FAN_IN, fan_out=FAN_OUT, generator=g)
    assert float(w.abs().max()) == pytest.approx(0.2, rel=1e-3)


@pytest.mark.parametrize(
    "activation", [nw.ReLU(), nw.Tanh(), nw.GELU(), nw.LeakyReLU(slope=0.2)], ids=repr
)
def test_he_carries_a_signal_through_twenty_layers(activation: nw.Activation) -> None:
    module = nw.MLP((256, *[256] * 20, 10), activation=activation).build()
    initialize(module, nw.He(activation=activation), torch.Generator().manual_seed(0))
    x = torch.randn(512, 256, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for layer in list(module)[1:-1]:
            x = layer(x)
    assert (
        0.3 < float(x.square().mean().sqrt()) < 3
    )  # with std 1 / sqrt(fan_in) ReLU would be at 0.001


@pytest.mark.parametrize("shape", [(6, 9), (9, 6), (8, 3, 3, 3), (4, 4)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    w = (
        nw.Orthogonal(gain=2.0)
        .sample(shape, fan_in=1, fan_out=1, generator=torch.Generator().manual_seed(0))
        .flatten(1)
    )
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    assert torch.allclose(small, 4 * torch.eye(len(small)), atol=1e-5)


def test_dirac_passes_images_on() -> None:
    conv = nn.Conv2d(3, 3, 3, padding=1)
    initialize(conv, nw.Dirac(), torch.Generator())
    x = torch.randn(2, 3, 5, 5)
    assert torch.allclose(conv(x), x)


def test_lsuv_gives_every_layer_outputs_of_spread_one_whatever_the_inputs() -> None:
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 16, 20),
        nn.Tanh(),
        nn.Linear(20, 5),
    )
    x = 30 * torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    initialize(module, nw.LSUV(), torch.Generator().manual_seed(0), x)
    assert module.training
    with torch.no_grad():
        for layer in module:
            x = layer(x)
            if isinstance(layer, nn.Conv2d | nn.Linear):
                assert float(x.var()) == pytest.approx(1.0, abs=0.05)


def test_each_gate_of_a_recurrent_layer_starts_on_its_own() -> None:
    layer = nn.LSTM(40, 60)
    initialize(layer, nw.Orthogonal(), torch.Generator().manual_seed(0))
    for gate in layer.weight_hh_l0.detach().chunk(4):
        assert torch.allclose(gate @ gate.T, torch.eye(60), atol=1e-5)
    assert not layer.bias_hh_l0.detach().any()
