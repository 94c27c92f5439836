"""L73: the step of the biases is that of torch's optimizer; its criteria can fail."""

from __future__ import annotations

import pytest
import torch

from netwise.labs.lab_definition import LabResult
from netwise.labs.neurons.thresholds import bias_step, threshold_criteria


def test_a_step_is_that_of_torch() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Sigmoid(), torch.nn.Linear(4, 2))
    net.append(torch.nn.Sigmoid()).double()
    x, y = torch.randn(5, 3).double(), torch.rand(5, 2).double()
    layers = [net[0], net[2]]
    weights, biases = bias_step(
        [layer.weight.T for layer in layers], [layer.bias for layer in layers], x, y, 0.5
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    ((net(x) - y).square().sum() / 2 / 5).backward()
    optimizer.step()
    for layer, w, b in zip(layers, weights, biases, strict=True):
        assert w.T.tolist() == [pytest.approx(row) for row in layer.weight.tolist()]
        assert b.tolist() == pytest.approx(layer.bias.tolist())


def test_l73_can_be_refuted() -> None:
    def verdict(first: float) -> str:
        numbers = {"largest difference after 1 step": first, "largest over all steps": 1e-15}
        return LabResult({}, threshold_criteria(numbers), "").verdict

    assert verdict(1e-16) == "confirmed"
    assert verdict(1e-6) == "refuted"
