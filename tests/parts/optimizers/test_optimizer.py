"""What every optimizer promises: its formula equals its torch object, and it descends."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.parts.optimizers import OPTIMIZERS
from parts.optimizers.gradients import rate_at, steps

RULES = [
    nw.SGD(lr=0.1),
    nw.SGD(lr=0.1, momentum=0.9),
    nw.SGD(lr=0.1, momentum=0.9, nesterov=True),
    nw.SGD(lr=0.1, momentum=0.5, weight_decay=0.1),
    nw.SGD(lr=0.1, nesterov=True),
    nw.Momentum(),
    nw.Momentum(form="classic"),
    nw.Adagrad(lr=0.1),
    nw.Adagrad(lr=0.1, start=0.1, epsilon=1e-4),
    nw.RMSProp(),
    nw.RMSProp(decay=0.5),
    nw.Adadelta(),
    nw.Adadelta(lr=0.5, rho=0.5, epsilon=1e-3),
    nw.Adam(),
    nw.Adam(lr=0.1, beta1=0.5, beta2=0.9, epsilon=1e-4),
    nw.AdamW(lr=0.01, weight_decay=0.3),
    nw.AMSGrad(lr=0.1, beta2=0.9),
    nw.NAdam(),
    nw.NAdam(lr=0.1, psi=0.1, beta1=0.5),
    nw.RAdam(),
    nw.RAdam(lr=0.1, beta2=0.9),
    nw.Lion(lr=0.01, weight_decay=0.1),
    nw.MomentOptimizer(),
    nw.MomentOptimizer(first="gradient", second="sum"),
    nw.SwitchOptimizer(),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_the_formula_equals_the_torch_object_over_100_steps_of_a_changing_rate(
    rule: nw.Optimizer,
) -> None:
    start, gradient_at = steps()
    live = start.clone().requires_grad_()
    optimizer = rule.build([live])
    w, state = start.clone(), rule.init(start)
    for t in range(1, 101):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(rule, t)
        gradient = gradient_at(live.detach())
        live.grad = gradient.clone()
        optimizer.step()
        w, state = rule.step(w, gradient, state, t, rate_at(rule, t))
        assert float((w - live.detach()).abs().max()) < 1e-12


DESCENDING = [cls for cls in OPTIMIZERS if not cls.needs_closure and cls is not nw.TorchOptimizer]


def quick(cls: type[nw.Optimizer]) -> nw.Optimizer:
    """Each with a rate that suits a bowl of size 3."""
    if cls is nw.SwitchOptimizer:
        return nw.SwitchOptimizer(first=nw.Adam(lr=0.05))
    return cls(lr={nw.Adadelta: 20.0, nw.Adagrad: 0.5, nw.Lion: 0.02}.get(cls, 0.05))  # type: ignore[call-arg]


@pytest.mark.parametrize("cls", DESCENDING)
def test_an_optimizer_descends_a_bowl(cls: type[nw.Optimizer]) -> None:
    ends = [
        torch.zeros(1, 1, requires_grad=True) for _ in range(2)
    ]  # Muon leaves the first and the last matrix to AdamW
    w = torch.tensor([[3.0, -2.0]], requires_grad=True)
    optimizer = quick(cls).build([ends[0], w, ends[1]])
    before = 29.0
    for _ in range(300):
        optimizer.zero_grad()
        (w.square() * torch.tensor([1.0, 5.0])).sum().backward()
        optimizer.step()
    assert float((w.detach().square() * torch.tensor([1.0, 5.0])).sum()) < 0.01 * before


@pytest.mark.parametrize("cls", DESCENDING)
def test_a_pure_step_changes_nothing_in_place(cls: type[nw.Optimizer]) -> None:
    rule, w, g = cls(), torch.ones(2, 3), torch.ones(2, 3)
    state = rule.init(w)
    kept = {key: value.clone() for key, value in state.items()}
    rule.step(w, g, state, 1)
    assert torch.equal(w, torch.ones(2, 3))
    assert all(torch.equal(state[key], kept[key]) for key in kept)
