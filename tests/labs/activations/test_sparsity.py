"""L49: zeros are counted as by hand; its criteria can fail."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from netwise.labs.activations.sparsity import shares_of_zeros, sparsity_criteria
from netwise.labs.lab_definition import LabResult


def test_shares_are_those_of_each_relu() -> None:
    module = nn.Sequential(nn.Identity(), nn.ReLU(), nn.Linear(4, 1), nn.ReLU())
    with torch.no_grad():
        module[2].weight.zero_()  # type: ignore[union-attr, operator]
        module[2].bias.fill_(1.0)  # type: ignore[union-attr, operator]
    assert shares_of_zeros(module, torch.tensor([[-1.0, 0, 2, 3]])) == [0.5, 0.0]
    assert not module[1]._forward_hooks


@pytest.mark.parametrize(
    ("before", "low", "verdict"), [(0.49, 0.01, "confirmed"), (0.8, -0.1, "refuted")]
)
def test_l49_can_be_confirmed_and_refuted(before: float, low: float, verdict: str) -> None:
    numbers = {"MLP, layer 1: before training": before, "MLP: more zeros after training, low": low}
    assert LabResult({}, sparsity_criteria(numbers, ("MLP",)), "").verdict == verdict
