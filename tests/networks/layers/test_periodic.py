"""Periodic embeddings: the formula, and what they are for."""

from __future__ import annotations

import math

import pytest
import torch

import netwise as nw
from netwise.networks.layers.periodic import PeriodicEmbedding


def test_the_embedding_computes_its_formula_and_keeps_the_inputs() -> None:
    torch.manual_seed(0)
    layer, x = PeriodicEmbedding((2, 0), frequencies=5, outputs=2), torch.randn(7, 4)
    out = layer(x)
    assert out.shape == (7, 4 + 2 * 2)
    assert torch.equal(out[:, :4], x)
    for place, column in enumerate((2, 0)):
        angles = 2 * math.pi * x[:, column, None] * layer.frequencies[place] + layer.phases[place]
        expected = torch.cos(angles) @ layer.weights[place] + layer.biases[place]
        assert torch.allclose(out[:, 4 + 2 * place :][:, :2], expected, atol=1e-6)


@pytest.mark.parametrize("members", [1, 3])
def test_a_network_with_embedded_inputs_takes_and_gives_what_its_widths_say(members: int) -> None:
    network = nw.MLP((6, 5, 2), periodic=(1, 4), members=members)
    module = network.build()
    assert module.layer1.in_features == 6 + 3 * 2
    assert module(torch.randn(4, 6)).shape == module.eval()(torch.randn(4, 6)).shape == (4, 2)
    recipe = nw.Recipe(data=nw.data.digits(), network=network.but(widths=(64, 5, 10)))
    assert "periodic = [" in nw.recipe_text(recipe)
    assert "periodic" not in nw.recipe_text(recipe.but(network=nw.MLP((64, 10))))


@pytest.mark.parametrize("periodic", [(4,), (0, 0), (1, 9)])
def test_inputs_that_there_are_not_cannot_be_embedded(periodic: tuple[int, ...]) -> None:
    with pytest.raises(nw.WrongValue, match="periodic.*from 0 to 3, of the inputs"):
        nw.MLP((4, 3), periodic=periodic)
