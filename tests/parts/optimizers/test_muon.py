"""Muon against torch's, and what is no hidden matrix against AdamW."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.parts.optimizers.muon import orthogonal
from parts.optimizers.gradients import rate_at, steps


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5)])
@pytest.mark.parametrize("nesterov", [True, False])
def test_muon_equals_torchs_on_a_hidden_matrix(shape: tuple[int, int], nesterov: bool) -> None:
    rule = nw.Muon(lr=0.02, weight_decay=0.1, nesterov=nesterov)
    start, gradient_at = steps(2, shape)
    first, hidden, last, bias = (
        torch.zeros(2, 2, dtype=torch.float64),
        start.clone(),
        torch.zeros(2, 2, dtype=torch.float64),
        torch.zeros(3, dtype=torch.float64),
    )
    ours = rule.build([p.requires_grad_() for p in (first, hidden, last, bias)])
    live = start.clone().requires_grad_()
    theirs = torch.optim.Muon([live], lr=0.02, weight_decay=0.1, nesterov=nesterov)
    w, state = start.clone(), rule.init(start)
    for t in range(1, 101):
        rate = rate_at(rule, t)
        for group in (*ours.param_groups, *theirs.param_groups):
            group["lr"] = rate
        gradient = gradient_at(live.detach())
        for p in (first, last, bias):
            p.grad = torch.ones_like(p)
        hidden.grad, live.grad = gradient.clone(), gradient.clone()
        ours.step()
        theirs.step()
        w, state = rule.step(w, gradient, state, t, rate)
        assert float((hidden - live).detach().abs().max()) < 1e-12
        assert float((w - live.detach()).abs().max()) < 1e-12
    # What is no hidden matrix moves by AdamW with its own rate.
    one = torch.zeros(3, dtype=torch.float64)
    other = nw.AdamW(lr=0.001, weight_decay=0.0)
    state = other.init(one)
    for t in range(1, 101):
        one, state = other.step(
            one, torch.ones(3, dtype=torch.float64), state, t, rate_at(rule, t) / 0.02 * 0.001
        )
    assert torch.allclose(bias.detach(), one, atol=1e-12)
    assert torch.allclose(first.detach(), one[:1].expand(2, 2), atol=1e-12)


def test_the_iteration_keeps_singular_vectors_and_evens_singular_values() -> None:
    u, _, v = torch.linalg.svd(torch.randn(6, 4, generator=torch.Generator().manual_seed(0)))
    g = u[:, :4] @ torch.diag(torch.tensor([5.0, 1.0, 0.5, 0.2])) @ v
    result = orthogonal(g, 5).float()
    assert torch.linalg.svdvals(result).tolist() == pytest.approx([1.0] * 4, abs=0.35)
    inner = u[:, :4].T @ result @ v.T  # diagonal, if the singular vectors are those of g
    assert float((inner - torch.diag(inner.diagonal())).abs().max()) < 0.05
