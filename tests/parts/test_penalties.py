"""Penalties against their formulas, and what they do to a run."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.parts.penalties import penalised

W = [
    torch.randn(4, 3, generator=torch.Generator().manual_seed(0)),
    torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(1)),
]
FLAT = torch.cat([w.flatten() for w in W])
DIGITS = nw.Recipe(
    data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD(lr=0.1), epochs=2
)


def test_values_are_their_formulas() -> None:
    assert nw.L2(strength=0.3).value(W).item() == pytest.approx(
        0.15 * FLAT.square().sum().item(), rel=1e-6
    )
    assert nw.L1(strength=0.3).value(W).item() == pytest.approx(
        0.3 * FLAT.abs().sum().item(), rel=1e-6
    )
    assert nw.ElasticNet(l1=0.1, l2=0.3).value(W).item() == pytest.approx(
        0.15 * FLAT.square().sum().item() + 0.1 * FLAT.abs().sum().item(), rel=1e-6
    )
    both = nw.SumOfPenalties((nw.L1(strength=0.3), nw.L2(strength=0.3)))
    assert both.value(W).item() == pytest.approx(
        nw.L1(strength=0.3).value(W).item() + nw.L2(strength=0.3).value(W).item(), rel=1e-6
    )


def test_lambda_is_divided_by_the_samples() -> None:
    # lambda / (2 n) sum w^2 and lambda / n sum |w|
    assert nw.L2.by_lambda(5, samples=50).value(W).item() == pytest.approx(
        5 / (2 * 50) * FLAT.square().sum().item(), rel=1e-6
    )
    assert nw.L1.by_lambda(5, samples=50).value(W).item() == pytest.approx(
        5 / 50 * FLAT.abs().sum().item(), rel=1e-6
    )


def test_l2_is_torchs_decay_on_weights_and_leaves_biases_out() -> None:
    w = torch.tensor([[2.0]], requires_grad=True)
    (g,) = torch.autograd.grad(nw.L2(strength=0.5).value([w]), w)
    assert g.item() == 1.0
    module = nw.MLP((4, 3, 2), batch_norm=True).build()
    assert [tuple(p.shape) for p in penalised(module)] == [(3, 4), (2, 3)]


def test_max_norm_scales_each_unit_back_and_no_more() -> None:
    copies = [w.clone() for w in W]
    nw.MaxNorm(norm=1.5).project(copies)
    for before, after in zip(W, copies, strict=True):
        for row, new in zip(before.flatten(1), after.flatten(1), strict=True):
            assert float(new.norm()) == pytest.approx(min(float(row.norm()), 1.5), rel=1e-5)
            assert torch.allclose(new / new.norm(), row / row.norm(), atol=1e-6)


def test_a_run_with_max_norm_ends_within_it() -> None:
    run = nw.fit(DIGITS.but(penalty=nw.MaxNorm(norm=0.4)))
    assert (
        max(float(w.detach().flatten(1).norm(dim=1).max()) for w in penalised(run.module))
        <= 0.4 + 1e-5
    )
    free = nw.fit(DIGITS)
    assert max(float(w.detach().flatten(1).norm(dim=1).max()) for w in penalised(free.module)) > 0.5


def test_an_activity_penalty_makes_units_inactive_and_leaves_nothing_on_the_module() -> None:
    x = nw.data.digits().load().train.x
    loud, quiet = (
        nw.fit(DIGITS.but(epochs=5, penalty=penalty))
        for penalty in (None, nw.ActivityPenalty(strength=0.02))
    )

    def activity(run: nw.Run) -> float:
        with torch.no_grad():
            return float(torch.relu(run.module.layer1(x.flatten(1))).mean())

    assert activity(quiet) < 0.7 * activity(loud)
    assert not any(layer._forward_hooks for layer in quiet.module.modules())


def test_the_activity_penalty_is_a_sum_over_units_and_a_mean_over_samples() -> None:
    a, b = torch.randn(5, 3), torch.randn(5, 2, 4, 4)
    expected = (a.square().sum() + b.square().sum()) / 5
    assert nw.ActivityPenalty(strength=2.0, power=2).value(W, [a, b]).item() == pytest.approx(
        2 * expected.item(), rel=1e-6
    )


def test_biases_norm_layers_and_frozen_weights_are_not_penalised() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    module[2].weight.requires_grad_(False)
    assert [tuple(w.shape) for w in penalised(module)] == [(4, 3)]


def test_the_gradient_of_l2_is_the_weight_and_that_of_l1_its_sign() -> None:
    w = torch.tensor([[1.0, -2.0]], requires_grad=True)
    assert torch.allclose(torch.autograd.grad(nw.L2(strength=0.1).value([w]), w)[0], 0.1 * w)
    (gradient,) = torch.autograd.grad(nw.L1(strength=0.1).value([w]), w)
    assert torch.allclose(gradient, torch.tensor([[0.1, -0.1]]))
