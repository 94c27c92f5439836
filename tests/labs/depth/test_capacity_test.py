"""The networks of L63 learn by momentum as one alone does; verdict and truth are told apart; the
criteria can fail both ways."""

from __future__ import annotations

import torch

from netwise.labs.depth.capacity_test import (
    BATCH,
    GOOD,
    HIGH,
    LOW,
    MOMENTUM,
    WIDE,
    WIDTHS,
    Judged,
    capacity_criteria,
    is_too_small,
    judged,
    needs_width,
    train_stack,
)
from netwise.labs.lab_definition import LabResult
from netwise.labs.stacked_mlp import new_stack


def test_a_stack_learns_as_one_network_alone() -> None:
    generator = torch.Generator().manual_seed(1)
    x, y = torch.rand(40, 6, generator=generator), torch.arange(40) % 3
    stack = new_stack((6, 5, 3), [0, 1])
    alone = [tensor[1].detach().clone().requires_grad_() for tensor in stack]
    train_stack(stack, x, y, torch.tensor([0.1, 0.05]), 4)
    optimizer = torch.optim.SGD(alone, lr=0.05, momentum=MOMENTUM)
    rows = torch.randint(40, (4, BATCH), generator=torch.Generator().manual_seed(0))
    for chosen in rows:
        optimizer.zero_grad()
        logits = (x[chosen] @ alone[0] + alone[1]).relu() @ alone[2] + alone[3]
        torch.nn.functional.cross_entropy(logits, y[chosen]).backward()
        optimizer.step()
    for tensor, own in zip(stack, alone, strict=True):
        assert torch.allclose(tensor[1], own, atol=1e-6)


def test_a_network_that_diverges_has_learned_nothing() -> None:
    x, y = torch.rand(40, 6), torch.arange(40) % 3
    rates = torch.tensor([1e30])
    assert train_stack(new_stack((6, 5, 3), [0]), x, y, rates, 5).tolist() == [0.0]


def test_verdict_and_truth_are_told_apart() -> None:
    few_only = torch.tensor([[1.0], [0.9], [0.8]])
    all_learned, nothing = torch.ones(3, 1), torch.full((3, 1), 0.3)
    assert is_too_small(few_only).tolist() == [True]
    assert is_too_small(all_learned).tolist() == is_too_small(nothing).tolist() == [False]
    assert needs_width(few_only, all_learned).tolist() == [True]
    assert needs_width(few_only, few_only).tolist() == [False]
    fits = {**dict.fromkeys(WIDTHS, few_only), WIDE: all_learned}
    assert judged(fits) == Judged(1.0, 1.0, 1.0)
    assert judged({**fits, WIDE: few_only}) == Judged(0.0, 1.0, 0.0)


def test_criteria_can_fail_both_ways() -> None:
    right, wrong = Judged(1.0, 0.5, 0.5), Judged(0.5, 0.5, 0.0)
    as_claimed = capacity_criteria({GOOD: right, LOW: wrong, HIGH: right})
    assert LabResult({}, as_claimed, "").verdict == "confirmed"
    assert as_claimed[-1].holds
    refuted = capacity_criteria({GOOD: wrong, LOW: right, HIGH: right})
    assert LabResult({}, refuted, "").verdict == "refuted"
    assert not refuted[-1].holds
    never_called = Judged(0.9, 0.0, 0.0)
    assert never_called.precision == 0
