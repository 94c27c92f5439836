"""Penalties, clippings, schedules, stopping rules and augmentations, each against its formula."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.parts.penalties import penalised

W = [torch.tensor([[1.0, -2.0]], requires_grad=True), torch.tensor([[3.0]], requires_grad=True)]


def test_l2_is_half_the_squares_and_its_gradient_is_the_weight() -> None:
    price = nw.L2(strength=0.1).value(W)
    assert price.item() == pytest.approx(0.1 / 2 * (1 + 4 + 9))
    gradient = torch.autograd.grad(price, W)
    assert torch.allclose(gradient[0], 0.1 * W[0])


def test_l1_is_the_sum_of_sizes_and_its_gradient_the_sign() -> None:
    price = nw.L1(strength=0.1).value(W)
    assert price.item() == pytest.approx(0.1 * 6)
    assert torch.allclose(torch.autograd.grad(price, W)[0], torch.tensor([[0.1, -0.1]]))


def test_biases_norm_layers_and_frozen_weights_are_free() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    module[2].weight.requires_grad_(False)
    assert [tuple(w.shape) for w in penalised(module)] == [(4, 3)]


def test_clipping_equals_torch() -> None:
    for ours, theirs in (
        (nw.Clip(0.5), lambda p: nn.utils.clip_grad_norm_(p, 0.5)),
        (nw.ClipValue(0.5), lambda p: nn.utils.clip_grad_value_(p, 0.5)),
    ):
        one, other = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
        one.grad = torch.tensor([3.0, -0.1, 0.2, 5.0])
        other.grad = one.grad.clone()
        ours.apply([one])
        theirs([other])
        assert torch.equal(one.grad, other.grad)


def rates(schedule: nw.Schedule, epochs: int) -> list[float]:
    state, found = schedule.init(), []
    for epoch in range(epochs):
        factor, state = schedule.next(state, nw.ScheduleContext(epoch, epochs, 1.0))
        found.append(factor)
    return found


def test_schedules_equal_torchs() -> None:
    for ours, theirs in (
        (nw.StepDecay(every=3, factor=0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5)),
        (nw.Cosine(), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 12)),
        (nw.ConstantRate(), lambda o: torch.optim.lr_scheduler.ConstantLR(o, 1.0)),
    ):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler, seen = theirs(optimizer), []
        for _ in range(12):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        assert rates(ours, 12) == pytest.approx(seen)


def test_cosine_ends_where_it_is_told() -> None:
    assert rates(nw.Cosine(last=0.2), 1000)[-1] == pytest.approx(0.2, abs=1e-4)


def test_patience_waits_and_a_tie_is_no_improvement() -> None:
    rule = nw.Patience(3)
    state, stopped = rule.init(), None
    for epoch, loss in enumerate([1.0, 0.9, 0.9, 0.9, 0.9]):
        why, state = rule.next(state, nw.EpochResult(epoch, loss))
        if why and stopped is None:
            stopped = epoch
    assert stopped == 4
    assert rule.next(rule.init(), nw.EpochResult(0, math.nan))[0] is None


def test_noise_and_shift_draw_from_the_stream_they_are_given() -> None:
    x = torch.rand(5, 1, 6, 6)
    for change in (nw.Noise(std=0.3), nw.Shift(pixels=2)):
        one, other = (change.apply(x, torch.Generator().manual_seed(4)) for _ in range(2))
        assert torch.equal(one, other)
        assert one.shape == x.shape
        assert not torch.equal(change.apply(x, torch.Generator().manual_seed(5)), one)


def test_shift_moves_pixels_and_loses_none_inside() -> None:
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1
    places = set()
    for seed in range(60):
        y = nw.Shift(pixels=2).apply(x, torch.Generator().manual_seed(seed))
        assert float(y.sum()) == 1
        places.add(tuple(torch.nonzero(y[0, 0])[0].tolist()))
    assert len(places) > 15
    assert all(2 <= row <= 6 and 2 <= column <= 6 for row, column in places)


def test_shift_refuses_what_is_no_image() -> None:
    with pytest.raises(ValueError, match="Shift takes images"):
        nw.Shift().apply(torch.zeros(3, 4), torch.Generator())
