"""Accounts of gradients, against loops whose truth is known."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from netwise import signals
from netwise.observe.gradient_ledger import (
    BackwardPass,
    CycleAccount,
    account,
    evenly,
    gradient_norms,
)


def module() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(5, 3)


def backward(
    net: nn.Module, x: torch.Tensor, factor: float = 1.0, place: str = "a:1"
) -> BackwardPass:
    weights = list(net.parameters())
    begins = gradient_norms(weights)
    loss = net(x).square().mean()
    (loss * factor).backward()
    reached = frozenset(id(p) for p in weights)
    return BackwardPass(begins, gradient_norms(weights), loss.item(), factor, 1.0, place, reached)


def close(net: nn.Module, passes: list[BackwardPass]) -> CycleAccount:
    return account(passes, [id(p) for p in net.parameters()], gradient_norms(net.parameters()))


def test_one_pass() -> None:
    net = module()
    result = close(net, [backward(net, torch.randn(4, 5))])
    assert (result.passes, result.stale, result.cleared, result.zero) == (1, False, False, False)
    assert result.factor == 1.0


def test_accumulation_counts_the_passes_since_the_empty_gradient() -> None:
    net = module()
    passes = [backward(net, torch.randn(4, 5), 0.25) for _ in range(4)]
    result = close(net, passes)
    assert (result.passes, result.stale) == (4, False)
    assert result.row(complete=True)[signals.BACKWARD_PASSES] == 4.0
    assert result.row(complete=True)[signals.LOSS_FACTOR] == 0.25


def test_a_gradient_that_was_never_empty_is_stale() -> None:
    net = module()
    backward(net, torch.randn(4, 5))  # of an earlier step
    result = close(net, [backward(net, torch.randn(4, 5))])
    assert result.stale
    assert result.row(complete=True)[signals.STALE] == 1.0
    assert signals.STALE not in result.row(complete=False)


def test_a_pass_before_the_gradient_was_cleared_does_not_count() -> None:
    net = module()
    backward(net, torch.randn(4, 5))
    other = backward(net, torch.randn(4, 5))  # such as the generator's loss
    net.zero_grad(set_to_none=False)
    result = close(net, [other, backward(net, torch.randn(4, 5))])
    assert (result.passes, result.stale) == (1, False)


@pytest.mark.parametrize("to_none", [True, False])
def test_gradients_cleared_before_the_step(to_none: bool) -> None:
    net = module()
    passes = [backward(net, torch.randn(4, 5))]
    net.zero_grad(set_to_none=to_none)
    assert close(net, passes).cleared


def test_clipping_is_a_factor() -> None:
    net = module()
    passes = [backward(net, 100 * torch.randn(4, 5))]
    norm = nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    result = close(net, passes)
    assert result.factor == pytest.approx(0.5 / float(norm), rel=1e-4)


def test_unscaling_is_no_change() -> None:
    net = module()
    scaled = backward(net, torch.randn(4, 5), 1024.0)
    entry = BackwardPass(scaled.begins, scaled.ends, scale=1024.0, reached=scaled.reached)
    for p in net.parameters():
        p.grad /= 1024.0
    assert close(net, [entry]).factor == 1.0


def test_a_gradient_of_exactly_zero() -> None:
    net = module()
    weights = list(net.parameters())
    begins = gradient_norms(weights)
    torch.relu(net(torch.randn(4, 5)) - 1e6).sum().backward()
    reached = frozenset(map(id, weights))
    result = close(net, [BackwardPass(begins, gradient_norms(weights), reached=reached)])
    assert result.zero
    assert result.row(complete=True)[signals.GRADIENT_ZERO] == 1.0


def test_two_losses_in_a_step_are_no_accumulation() -> None:
    net = module()
    passes = [backward(net, torch.randn(4, 5), place="a:1")]
    passes.append(backward(net, torch.randn(4, 5), place="a:2"))
    result = close(net, passes)
    assert (result.passes, len(result.counted)) == (1, 2)


def test_norms_of_all_kinds_of_gradients() -> None:
    sparse = nn.Embedding(10, 4, sparse=True)
    sparse(torch.tensor([1, 1, 2])).sum().backward()
    half = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    half.grad = torch.full((3,), 2.0, dtype=torch.bfloat16)
    none, empty = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(0))
    empty.grad = torch.ones(0)
    norms = gradient_norms([sparse.weight, half, none, empty])
    assert norms[id(sparse.weight)] == pytest.approx((4 * 4 + 4) ** 0.5)
    assert norms[id(half)] == pytest.approx(12**0.5, rel=1e-2)
    assert norms[id(none)] == norms[id(empty)] == 0.0


def test_weights_are_chosen_evenly() -> None:
    weights = [torch.tensor(float(i)) for i in range(100)]
    chosen = [int(w) for w in evenly(weights, 16)]
    assert chosen[0] == 0
    assert chosen[-1] == 99
    assert max(b - a for a, b in itertools.pairwise(chosen)) <= 7
    assert len(evenly(weights[:3], 16)) == 3


def test_norms_that_are_known_are_those_that_would_be_computed() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2).double())
    model[1](model[0](torch.randn(5, 3)).double()).sum().backward()
    parameters = list(model.parameters())
    known = {id(p): torch.linalg.vector_norm(p.grad) for p in parameters if p.grad is not None}
    assert gradient_norms(parameters, known) == pytest.approx(gradient_norms(parameters))
    wrong = {key: norm + 1 for key, norm in known.items()}
    answer = gradient_norms(parameters, wrong)
    used = [answer[id(p)] == float(wrong[id(p)]) for p in parameters]
    assert used == [True, True, False, False]  # the norms of 64-bit numbers are computed


def test_passes_of_the_same_loss_that_were_cleared() -> None:
    net, passes = module(), []
    for _ in range(3):
        net.zero_grad()
        passes.append(backward(net, torch.randn(4, 5)))
    assert close(net, passes).dropped == 2
    net.zero_grad()
    other = backward(net, torch.randn(4, 5), place="b:2")
    net.zero_grad()
    assert close(net, [other, backward(net, torch.randn(4, 5))]).dropped == 0
