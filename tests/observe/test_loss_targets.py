"""Shapes and ranges of outputs and targets."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from netwise.observe.autograd_nodes import MARK
from netwise.observe.loss_elements import match
from netwise.observe.loss_targets import before_expand, from_residual, shape_before, target_facts
from networks_of_daily_life import X


def test_shapes_before_a_broadcast() -> None:
    column, row = torch.ones(4, 1), torch.ones(4)
    first, second = torch.broadcast_tensors(column, row)
    assert before_expand(first).shape == (4, 1)
    assert before_expand(second).shape == (4,)
    assert before_expand(torch.ones(4, 4)).shape == (4, 4)
    assert before_expand(None) is None
    assert shape_before(nn.Linear(8, 1)(X).expand(6, 6).grad_fn) == (6, 1)
    assert shape_before(None) == ()


def test_targets_from_differences() -> None:
    targets = torch.arange(18.0).view(6, 3)
    output = nn.Linear(8, 3)(X)
    output.grad_fn.metadata[MARK] = (1, 0)
    for loss in ((output - targets) ** 2, (targets - output).abs()):
        found = match(loss.grad_fn)
        _, recovered = from_residual(found, [torch.ones(6, 2), output.detach()])
        assert torch.allclose(recovered, targets, atol=1e-5)
        assert from_residual(found, []) == (None, None)


def test_targets_are_not_known_from_huge_outputs() -> None:
    """A difference keeps no digit of targets that are far smaller; one of infinity none at all."""
    targets = torch.eye(3).repeat(2, 1)
    layer = nn.Linear(8, 3)
    for factor, known in ((1.0, True), (1e5, False), (torch.inf, False)):
        output = factor * layer(X)
        output.grad_fn.metadata[MARK] = (1, 0)
        found = match(((output - targets) ** 2).grad_fn)
        assert found is not None
        target = from_residual(found, [output])[1]
        assert (target is not None) == known


def test_facts_of_large_targets() -> None:
    output = nn.Linear(8, 3)(X)
    found = match(F.mse_loss(output, output.detach()).grad_fn)
    many = torch.zeros(1 << 19, 3)
    many[0] = 1
    facts = target_facts(found, None, many)
    assert facts["target_row_sums"] == (0, 3)
    assert (facts["target_low"], facts["target_high"]) == (0, 1)
