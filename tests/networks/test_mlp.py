"""Multilayer perceptrons: parameter counts, the formula, the places of layers, and changes."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

import netwise as nw


@pytest.mark.parametrize("widths", [(4, 3), (64, 30, 10), (784, 256, 256, 10)])
def test_an_mlp_has_the_parameters_of_the_formula(widths: tuple[int, ...]) -> None:
    expected = sum(a * b + b for a, b in pairwise(widths))
    assert sum(p.numel() for p in nw.MLP(widths).build().parameters()) == expected


def test_an_mlp_computes_its_formula() -> None:
    module = nw.MLP((5, 4, 3), activation=nw.Tanh(), output=nw.Sigmoid()).build()
    (w1, b1), (w2, b2) = ((m.weight, m.bias) for m in module if isinstance(m, nn.Linear))
    x = torch.randn(7, 5)
    assert torch.allclose(
        module(x), torch.sigmoid(torch.tanh(x @ w1.T + b1) @ w2.T + b2), atol=1e-6
    )


def test_batch_norm_and_dropout_stand_in_their_places() -> None:
    kinds = [type(m).__name__ for m in nw.MLP((5, 4, 3), batch_norm=True, dropout=0.5).build()]
    assert kinds == ["FlattenIfNeeded", "Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear"]


def test_batch_norm_learns_from_the_batch_and_judges_by_what_it_kept() -> None:
    # note 000, claim Y04
    module = nw.MLP((4, 8, 3), batch_norm=True).build()
    module(torch.randn(64, 4))
    module.eval()
    x = torch.randn(5, 4)
    assert torch.allclose(module(x), torch.cat([module(row[None]) for row in x]), atol=1e-6)
    after = nw.MLP((4, 8, 3), batch_norm=True, norm_place="after").build()
    names = [name for name, _ in after.named_children()]
    assert names.index("norm1") == names.index("activation1") + 1


def test_hidden_layers_are_set_by_number_and_by_size() -> None:
    network = nw.MLP((64, 30, 20, 10))
    assert network.with_hidden_layers(units=7).widths == (64, 7, 7, 10)
    assert network.with_hidden_layers(layers=3).widths == (64, 30, 30, 30, 10)
    assert nw.MLP((64, 10)).with_hidden_layers(layers=2).widths == (64, 64, 64, 10)


def test_a_residual_block_adds_its_input() -> None:
    module = nw.MLP((4, 4, 4, 2), residual=True, activation=nw.Tanh()).build()
    first, second = module.block1.layer1, module.block2.layer2
    x = torch.randn(5, 4)
    h = x + torch.tanh(first(x))
    h = h + torch.tanh(second(h))
    assert torch.allclose(module(x), module.layer3(h), atol=1e-6)


def test_residual_connections_need_equal_widths() -> None:
    assert nw.MLP((8, 8, 3)).with_shortcuts() == nw.MLP((8, 8, 3), residual=True)
    assert "equal width" in str(nw.MLP((8, 5, 3)).with_shortcuts())


def test_maxout_units_have_as_many_linear_functions_as_pieces() -> None:
    module = nw.MLP((6, 5, 2), activation=nw.Maxout(3)).build()
    x = torch.randn(4, 6)
    z = module.layer1(x)
    hidden = torch.stack([z.reshape(4, 5, 3), z.reshape(4, 3, 5).transpose(1, 2)])
    outputs = [module.layer2(h.amax(2)) for h in hidden]  # pieces side by side, or units
    assert any(torch.allclose(module(x), out, atol=1e-6) for out in outputs)
