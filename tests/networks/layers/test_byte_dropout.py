"""Dropout by random bytes: what `nn.Dropout` does, up to 1 / 512 of the probability."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.networks.layers.byte_dropout import ByteDropout


def seeded(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return layer(x)


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5, 0.9])
def test_units_are_dropped_independently_and_the_others_keep_the_mean(p: float) -> None:
    x = torch.ones(701, 301, requires_grad=True)  # an odd number of units: no whole int64
    dropped = seeded(ByteDropout(p), x)
    zeros = dropped == 0
    assert float(zeros.float().mean()) == pytest.approx(p, abs=0.005)
    for neighbours in (zeros[1:] & zeros[:-1], zeros[:, 8:] & zeros[:, :-8]):
        assert float(neighbours.float().mean()) == pytest.approx(p * p, abs=0.01)
    assert len(dropped.unique()) == 2
    assert float(dropped.detach().mean()) == pytest.approx(1, abs=0.02)
    dropped.sum().backward()
    assert torch.equal(x.grad, dropped.detach())


def test_it_follows_the_seed_and_does_nothing_in_evaluation() -> None:
    layer, x = ByteDropout(0.3), torch.randn(5, 7)
    assert torch.equal(seeded(layer, x), seeded(layer, x))
    assert layer(torch.empty(0, 7)).shape == (0, 7)
    assert layer.eval()(x) is x


@pytest.mark.parametrize("p", [0.0, 0.001, 0.999, 1.0])
def test_probabilities_that_bytes_cannot_give_are_those_of_torch(p: float) -> None:
    x = torch.ones(300, 100)
    assert torch.equal(seeded(ByteDropout(p), x), seeded(nn.Dropout(p), x))


def test_ensembles_have_it_and_a_single_network_has_that_of_torch() -> None:
    single = nw.MLP((4, 8, 3), dropout=0.2)
    kinds = [type(net.build().dropout1) for net in (single, single.but(members=2))]
    assert kinds == [nn.Dropout, ByteDropout]
    recipe = nw.Recipe(data=nw.data.iris(), network=single.but(members=2))
    assert "class ByteDropout" in nw.to_script(recipe)
