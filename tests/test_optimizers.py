"""Each rule as a formula is torch's own, and descends."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.optimizers import OPTIMIZERS

RULES = [
    nw.SGD(lr=0.1),
    nw.SGD(lr=0.1, momentum=0.9),
    nw.SGD(lr=0.1, momentum=0.9, nesterov=True),
    nw.SGD(lr=0.1, momentum=0.5, weight_decay=0.1),
    nw.SGD(lr=0.1, nesterov=True),
    nw.Adam(),
    nw.Adam(lr=0.1, beta1=0.5, beta2=0.9, epsilon=1e-4),
    nw.AdamW(lr=0.01, weight_decay=0.3),
    nw.RMSProp(),
    nw.RMSProp(decay=0.5),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_the_formula_equals_torch_over_100_steps_of_a_changing_rate(rule: nw.Optimizer) -> None:
    g = torch.Generator().manual_seed(0)
    start = torch.randn(6, 3, generator=g, dtype=torch.float64)
    live = start.clone().requires_grad_()
    optimizer = rule.build([live])
    w, memory = start.clone(), rule.init(start)
    for t in range(1, 101):
        rate = rule.lr * (1 + 0.5 * ((t % 7) / 7))
        for group in optimizer.param_groups:
            group["lr"] = rate
        gradient = torch.sin(live.detach() * 3) + 0.1 * torch.randn(6, 3, generator=g, dtype=torch.float64)
        live.grad = gradient.clone()
        optimizer.step()
        w, memory = rule.step(w, gradient, memory, t, rate)
        assert float((w - live.detach()).abs().max()) < 1e-12


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_an_optimizer_descends_a_bowl(cls: type[nw.Optimizer]) -> None:
    w = torch.tensor([3.0, -2.0], requires_grad=True)
    optimizer = cls(lr=0.05).build([w])
    for _ in range(300):
        optimizer.zero_grad()
        (w.square() * torch.tensor([1.0, 5.0])).sum().backward()
        optimizer.step()
    assert float(w.detach().abs().max()) < 0.05


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_a_pure_step_changes_nothing_in_place(cls: type[nw.Optimizer]) -> None:
    rule, w, g = cls(), torch.ones(3), torch.ones(3)
    memory = rule.init(w)
    kept = {key: value.clone() for key, value in memory.items()}
    rule.step(w, g, memory, 1)
    assert torch.equal(w, torch.ones(3))
    assert all(torch.equal(memory[key], kept[key]) for key in kept)
