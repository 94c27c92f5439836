"""The networks of L32 are those of torch; its criteria can fail."""

from __future__ import annotations

import torch
from torch import nn

from netwise.labs.lab_definition import LabResult
from netwise.labs.normalization.scale_and_shift import (
    DEPTHS,
    ScaleAndShiftSettings,
    criteria,
    forward,
    loss_of,
    train,
)
from netwise.labs.stacked_mlp import new_stack


def test_networks_are_those_of_torch() -> None:
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(20, 4, generator=g), torch.randint(0, 10, (20,), generator=g)
    stack = new_stack((4, 3, 10), [0, 1])
    scales, shifts = [torch.rand(2, 1, 3, generator=g)], [torch.rand(2, 1, 3, generator=g)]
    logits, z = forward(stack, scales, shifts, x, "sigmoid")
    for i in range(2):
        norm = nn.BatchNorm1d(3)
        norm.weight.data, norm.bias.data = scales[0][i, 0], shifts[0][i, 0]
        inner = norm(x @ stack[0][i])
        torch.testing.assert_close(z[i], inner)
        expected = torch.sigmoid(inner) @ stack[2][i] + stack[3][i]
        torch.testing.assert_close(logits[i], expected)
        torch.testing.assert_close(loss_of(logits, y)[i], nn.functional.cross_entropy(expected, y))


def test_scale_and_shift_stay_where_they_are_held() -> None:
    settings = ScaleAndShiftSettings(epochs=1, width=4, seeds=2)
    fixed, learned = (train("sigmoid", 1, each, settings) for each in (False, True))
    assert (fixed.scale, fixed.shift) == (1, 0)
    assert learned.shift > 0
    assert 0.5 < fixed.inside < 0.8  # of normal numbers: 0.68


def test_the_criteria_can_fail() -> None:
    numbers: dict[str, float] = {}
    for depth in DEPTHS:
        numbers[f"sigmoid, {depth} hidden: log10 loss, fixed - learned, low"] = -0.1
        numbers[f"ReLU, {depth} hidden: log10 loss, fixed - learned, mean"] = 0.5
        numbers[f"sigmoid, {depth} hidden: mean scale"] = 0.9
        numbers[f"sigmoid, {depth} hidden: |z| < 1, fixed"] = 0.9
    assert not any(criterion.holds for criterion in criteria(numbers))
    for depth in DEPTHS:
        numbers[f"sigmoid, {depth} hidden: log10 loss, fixed - learned, low"] = 0.1
    assert LabResult({}, criteria(numbers), "").verdict == "confirmed"
