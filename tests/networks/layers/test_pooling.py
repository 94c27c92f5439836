"""Max pooling by slices against torch's."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw
from netwise.networks.layers.pooling import MaxPool2


def sliced() -> MaxPool2:
    pool = MaxPool2()
    pool.sliced = True
    return pool


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (1, 1, 7, 9), (4, 2, 2, 2)])
def test_max_pooling_by_slices_equals_torchs(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    ours, theirs = sliced()(x), F.max_pool2d(x, 2)
    assert torch.equal(ours, theirs)
    weight = torch.randn_like(ours)
    assert torch.equal(
        *(torch.autograd.grad((y * weight).sum(), x, retain_graph=True)[0] for y in (ours, theirs))
    )


def test_ties_of_zeros_behind_a_relu_pass_no_gradient_either_way() -> None:
    x = (
        torch.randn(3, 2, 6, 6, generator=torch.Generator().manual_seed(1))
        .sub(0.8)
        .requires_grad_()
    )
    one, other = (
        torch.autograd.grad(pool(torch.relu(x)).sum(), x)[0] for pool in (sliced(), nn.MaxPool2d(2))
    )
    assert torch.equal(one, other)


def test_max_pooling_sends_the_error_to_the_greatest_alone() -> None:
    # note 001, claim Y08
    x = torch.tensor([[[[1.0, 5.0], [2.0, 3.0]]]], requires_grad=True)
    (g,) = torch.autograd.grad(nw.conv_block(1, 1, "CAP")[-1](x).sum(), x)
    assert g.tolist() == [[[[0.0, 1.0], [0.0, 0.0]]]]
