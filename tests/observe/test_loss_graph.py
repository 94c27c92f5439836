"""Losses are recognised in the autograd graph, against the losses of torch themselves."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from netwise.observe.loss_graph import read_loss

X = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
Y = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])


def test_factor_and_penalty() -> None:
    layer = nn.Linear(5, 3)
    loss = F.cross_entropy(layer(X), Y)
    penalty = 0.1 * sum(weight.square().sum() for weight in layer.parameters())
    reading = read_loss((loss + penalty) / 4, "train.py:3")
    data, weights = reading.terms
    assert reading.factor == pytest.approx(0.25)
    assert data.term.operation == "cross entropy"
    assert data.term.place == "train.py:3"
    assert data.value == pytest.approx(float(loss.detach()))
    assert weights.term.penalty
    assert weights.value == pytest.approx(float(penalty.detach()), rel=1e-4)
    assert data.ignore_index == -100
    assert torch.equal(data.target, Y)
