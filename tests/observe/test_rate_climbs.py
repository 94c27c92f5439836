"""Slow climbs of a learning rate are counted; restarts, warm-ups and cycles from below are not."""

from __future__ import annotations

import pytest
import torch

from netwise.observe.rate_climbs import RateClimbs

schedules = torch.optim.lr_scheduler


@pytest.mark.parametrize(
    ("make", "climbs"),
    [
        (lambda o: schedules.CosineAnnealingLR(o, T_max=10), 5),
        (lambda o: schedules.CosineAnnealingLR(o, T_max=100), 0),
        (lambda o: schedules.CosineAnnealingWarmRestarts(o, T_0=10), 0),
        (lambda o: schedules.OneCycleLR(o, 0.1, total_steps=101), 0),
        (lambda o: schedules.CyclicLR(o, 1e-5, 0.1, step_size_up=10), 0),
        (lambda o: schedules.ExponentialLR(o, 0.9), 0),
    ],
)
def test_schedules_of_torch(make, climbs: int) -> None:  # type: ignore[no-untyped-def]
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)
    schedule, counted = make(optimizer), RateClimbs()
    for _ in range(100):
        counted.add(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert counted.count == climbs
