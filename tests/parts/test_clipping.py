"""Clippings against torch's functions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw


def test_clipping_equals_torch() -> None:
    for ours, theirs in (
        (nw.Clip(0.5), lambda p: nn.utils.clip_grad_norm_(p, 0.5)),
        (nw.ClipValue(0.5), lambda p: nn.utils.clip_grad_value_(p, 0.5)),
    ):
        one, other = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
        one.grad = torch.tensor([3.0, -0.1, 0.2, 5.0])
        other.grad = one.grad.clone()
        ours.apply([one])
        theirs([other])
        assert torch.equal(one.grad, other.grad)


def test_a_gradient_within_the_limit_is_unchanged() -> None:
    for clipping in (nw.Clip(10.0), nw.ClipValue(10.0)):
        p = torch.zeros(3, requires_grad=True)
        p.grad = torch.tensor([1.0, -2.0, 3.0])
        clipping.apply([p])
        assert torch.allclose(p.grad, torch.tensor([1.0, -2.0, 3.0]))


def test_the_norm_is_that_of_all_parameters_together() -> None:
    pair = [torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)]
    pair[0].grad, pair[1].grad = torch.tensor([3.0]), torch.tensor([4.0])
    nw.Clip(1.0).apply(pair)
    assert [float(p.grad) for p in pair] == pytest.approx([0.6, 0.8], rel=1e-5)
