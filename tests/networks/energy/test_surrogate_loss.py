"""A loss whose gradients are supplied."""

from __future__ import annotations

import torch

from netwise.networks.energy.surrogate_loss import surrogate_loss


def test_the_gradients_are_the_supplied_ones_and_follow_the_chain_rule() -> None:
    a, b = torch.randn(3, requires_grad=True), torch.randn(2, 2, requires_grad=True)
    ga, gb = torch.randn(3), torch.randn(2, 2)
    loss = surrogate_loss(torch.tensor(1.5), (ga.clone(), gb.clone()), (a, b))
    assert float(loss.detach()) == 1.5
    loss.backward()
    assert torch.equal(a.grad, ga)
    assert torch.equal(b.grad, gb)
    a.grad = b.grad = None
    penalty = (a**2).sum()
    (3 * surrogate_loss(torch.tensor(0.0), (ga.clone(), gb.clone()), (a, b)) + penalty).backward()
    torch.testing.assert_close(a.grad, 3 * ga + 2 * a.detach())
    torch.testing.assert_close(b.grad, 3 * gb)
