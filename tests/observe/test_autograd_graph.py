"""The census of a loss's leaves is exact."""

from __future__ import annotations

import torch
from torch import nn

from netwise.observe.autograd_graph import MARK, read_graph


def test_leaves_are_what_gets_a_gradient() -> None:
    model = nn.ModuleDict({"used": nn.Linear(3, 2), "unused": nn.Linear(3, 2)})
    output = model["used"](torch.ones(4, 3))
    output.grad_fn.metadata[MARK] = (7, 0)
    loss = output.square().mean()
    reading = read_graph(loss)
    loss.backward()
    assert set(reading.leaves) == {id(p) for p in model.parameters() if p.grad is not None}
    assert reading.outputs == {(7, 0)}
    assert reading.complete
    assert not reading.opaque
