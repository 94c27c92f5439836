"""The Jacobian matrices of L35 are those of autograd; its criteria can fail both ways."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.labs.depth.residual_gradient import (
    START,
    TRAINED,
    ResidualGradientSettings,
    block_jacobians,
    deep_digits,
    derivatives_of_one_number,
    gradient_norms,
    residual_criteria,
)
from netwise.labs.lab_definition import LabResult

SETTINGS = ResidualGradientSettings(blocks=2, width=6)


@pytest.mark.parametrize("residual", [True, False])
def test_jacobians_are_those_of_autograd(residual: bool) -> None:
    torch.manual_seed(0)
    module = deep_digits(SETTINGS, residual=residual).network.build()
    x = torch.rand(3, 1, 8, 8)
    jacobians = block_jacobians(module, x, 2, residual=residual)
    named = dict(module.named_children())
    if residual:
        blocks = [named["block2"], named["block3"]]
    else:
        blocks = [nn.Sequential(named[f"layer{i}"], named[f"activation{i}"]) for i in (2, 3)]
    h = torch.tanh(named["layer1"](x.flatten(1)))
    for block, matrices in zip(blocks, jacobians, strict=True):
        for sample in range(len(x)):
            expected = torch.autograd.functional.jacobian(block, h[sample])
            assert torch.allclose(matrices[sample], expected, atol=1e-6)
        h = block(h)


def test_gradients_pass_blocks_from_the_last_to_the_first() -> None:
    jacobians = torch.stack([3 * torch.eye(2), 2 * torch.eye(2)])[:, None]
    assert gradient_norms(jacobians, torch.Generator().manual_seed(0)) == pytest.approx([2, 6])


def test_derivatives_of_one_number_are_symmetric_around_1() -> None:
    values = derivatives_of_one_number(20_000, torch.Generator().manual_seed(1))
    assert float((values < 1).double().mean()) == pytest.approx(0.5, abs=0.02)
    assert float(values.mean()) == pytest.approx(1, abs=0.02)


def numbers(share: float, kept: float, plain: float) -> dict[str, float]:
    return {
        "one number: share of derivatives below 1": share,
        f"residual, {START}: share of singular values below 1": share,
        f"residual, {TRAINED}: share of singular values below 1": share,
        f"residual, {START}: gradient after all blocks over that before": kept,
        f"plain, {START}: gradient after all blocks over that before": plain,
    }


def test_one_derivative_below_1_refutes_the_claim() -> None:
    always_above = residual_criteria(numbers(0.0, 2.0, 0.01))
    assert LabResult({}, always_above, "").verdict == "confirmed"
    assert [criterion.holds for criterion in always_above[3:]] == [False, True, True]
    half = residual_criteria(numbers(0.5, 0.5, 0.5))
    assert LabResult({}, half, "").verdict == "refuted"
    assert [criterion.holds for criterion in half[3:]] == [True, False, False]


def test_the_arms_are_one_network_with_and_without_shortcuts() -> None:
    with_shortcuts, without = (deep_digits(SETTINGS, residual=r) for r in (True, False))
    assert isinstance(with_shortcuts.network, nw.MLP)
    assert with_shortcuts.network.but(residual=False) == without.network
