"""Causes of losses and gradients that are not finite."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from netwise.observe.non_finite import cause_of_gradient, cause_of_loss, risky_inputs

OUTPUTS = torch.tensor([[0.5, -0.25], [2.0, 1.0], [-1.0, 3.0]])


def outputs() -> torch.Tensor:
    return OUTPUTS.clone().requires_grad_() * 1.0


def test_logarithm_of_what_is_no_probability() -> None:
    assert cause_of_loss(F.nll_loss(outputs().log(), torch.tensor([1, 0, 0]))) == "Log of -1"
    assert cause_of_loss(outputs().relu().log().mean()) == "Log of 0"


def test_all_targets_are_ignored() -> None:
    loss = F.cross_entropy(outputs(), torch.full((3,), -100))
    assert cause_of_loss(loss) == "all 3 targets are ignore_index = -100: a mean over no targets"
    loss = F.cross_entropy(outputs()[:0], torch.zeros(0).long())
    assert cause_of_loss(loss) == "a mean over no targets: the batch is empty"


def test_data_and_weights() -> None:
    layer = nn.Linear(2, 1)
    data = OUTPUTS.clone()
    data[1, 0] = torch.nan
    assert cause_of_loss(layer(data).mean()).startswith("1 of 6 values of the data are not finite")
    targets = torch.full((3, 1), torch.inf)
    assert "3 of 3 values of the targets" in cause_of_loss(F.mse_loss(layer(OUTPUTS), targets))
    with torch.no_grad():
        layer.weight[0, 1] = torch.inf
    cause = cause_of_loss(layer(OUTPUTS).mean())
    assert cause == "1 of 2 values of a weight (1, 2) are not finite"


def test_gradient_at_the_edge_of_a_domain() -> None:
    zero = outputs() - OUTPUTS
    loss = zero.square().sum(1).sqrt().mean()
    assert cause_of_gradient(risky_inputs(loss)) == "Sqrt at exactly 0 (3 of 3 values)"
    assert risky_inputs(zero.square().mean()) == []
    assert cause_of_gradient([("Sqrt", torch.ones(2))]) == ""


def test_what_has_no_graph() -> None:
    for value in (torch.tensor(torch.nan), 1.0, None):
        assert cause_of_loss(value) == ""
        assert risky_inputs(value) == []
