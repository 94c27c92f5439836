"""The direct call of the fused kernel is torch's own step, to the last bit."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.training.fused_update import updater

RULES = [
    nw.SGD(lr=0.1),
    nw.SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    nw.SGD(lr=0.1, momentum=0.5),
    nw.Adam(),
    nw.Adam(lr=0.1, beta1=0.5),
    nw.AdamW(weight_decay=0.2),
    nw.RMSProp(),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("skipped", [False, True], ids=["all", "one unused"])
def test_equal_to_step_over_many_steps(rule: nw.Optimizer, skipped: bool) -> None:
    g = torch.Generator().manual_seed(0)
    start = [
        torch.randn(40, 30, generator=g),
        torch.randn(30, generator=g),
        torch.randn(7, generator=g),
    ]
    arms = [[w.clone().requires_grad_() for w in start] for _ in range(2)]
    optimizers = [rule.build(list(arm)) for arm in arms]
    steps = [optimizers[0].step, updater(optimizers[1])]
    for t in range(30):
        gradients = [torch.randn(w.shape, generator=g) for w in start]
        for arm, optimizer, step in zip(arms, optimizers, steps, strict=True):
            optimizer.param_groups[0]["lr"] = rule.lr / (1 + t)
            for w, gradient in zip(arm, gradients, strict=True):
                w.grad = gradient.clone()
            if t == 15:  # as after resuming: other dictionaries replace the first ones
                optimizer.load_state_dict(optimizer.state_dict())
                optimizer.param_groups[0]["lr"] = rule.lr / (1 + t)
            if skipped and t % 5 == 4:
                arm[1].grad = None
            step()
        assert all(torch.equal(a, b) for a, b in zip(*arms, strict=True))
    one, other = (optimizer.state_dict()["state"] for optimizer in optimizers)
    assert one.keys() == other.keys()
    for key in one:
        for name, value in one[key].items():
            assert (
                torch.equal(torch.as_tensor(value), torch.as_tensor(other[key][name]))
                if value is not None
                else other[key][name] is None
            )
