"""Operations of a forward pass, in order, with the values that they had."""

from __future__ import annotations

import torch
from torch import nn

from netwise.observe.operations import traced


def test_operations_of_a_pass() -> None:
    module = nn.Sequential(nn.Linear(3, 2), nn.ReLU(inplace=True))
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = traced(module, lambda args, kwargs: module(*args), ((x,), {}))
        expected = module[0](x)
    assert [(each.name, each.layer, each.kind) for each in found] == [
        ("linear", "0", "Linear"),
        ("relu_", "1", "ReLU") if found[1].name == "relu_" else ("relu", "1", "ReLU"),
    ]
    # Values before an operation in place are those before it.
    assert torch.equal(found[0].output, expected)
    assert torch.equal(found[1].inputs[0], expected)
    assert torch.equal(found[1].output, expected.relu())
    assert not module[0]._forward_hooks


def test_a_layer_without_an_axis_of_samples() -> None:
    module = nn.Sequential(nn.GRU(3, 2))
    x = torch.ones(4, 1, 3)
    alone = traced(module, lambda args, kwargs: module(*args), ((x,), {}))[-1]
    many = traced(module, lambda args, kwargs: module(*args), ((x.repeat(1, 2, 1),), {}))[-1]
    assert (alone.alone, many.alone) == (True, False)
