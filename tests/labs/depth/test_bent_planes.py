"""The networks of L85 are plain tanh networks that learn by Adam; its data are tangled as they are
said to be; its criteria can fail both ways."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from netwise.labs.depth.bent_planes import (
    ARMS,
    CHECKED_EVERY,
    bent_criteria,
    linked_rings,
    random_bank,
    ring,
    spirals,
    train_bank,
)
from netwise.labs.lab_definition import LabResult


def test_a_bank_learns_as_its_networks_alone() -> None:
    points = ring(0.5, 20)
    bank = random_bank((2, 3, 1), 3)
    single = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    with torch.no_grad():
        for layer, weight, bias in zip(single[::2], bank.weights, bank.biases, strict=True):
            layer.weight.copy_(weight[1].t())
            layer.bias.copy_(bias[1, 0])
    train_bank(bank, points, points, CHECKED_EVERY, 0.03)
    optimizer = torch.optim.Adam(single.parameters(), lr=0.03)
    for _ in range(CHECKED_EVERY):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(
            single(points[0]).squeeze(1), points[1]
        ).backward()
        optimizer.step()
    assert torch.allclose(bank.outputs(points[0])[1], single(points[0]).squeeze(1), atol=1e-3)


def test_the_ring_is_around_the_disk() -> None:
    x, y = ring(0.5, 60)
    assert x[y == 0].norm(dim=1).max() <= 1
    assert x[y == 1].norm(dim=1).min() == pytest.approx(1.5)
    assert x[y == 1].norm(dim=1).max() == pytest.approx(2.0)


def test_each_linked_ring_passes_through_the_middle_of_the_other() -> None:
    x, y = linked_rings(400)
    first, second = x[y == 0], x[y == 1]
    assert first[:, 2].abs().max() == 0
    # The second crosses the plane of the first once inside of it, at its middle, and once outside.
    radii = second[second[:, 2].abs() < 0.01].norm(dim=1)
    assert ((radii < 0.05) | (radii > 1.5)).all()
    assert (radii < 0.05).any()
    assert (radii > 1.5).any()


def test_spirals_are_opposite() -> None:
    x, y = spirals(50)
    assert torch.equal(x[y == 0], -x[y == 1])


def test_criteria_can_fail_both_ways() -> None:
    narrow = {"2-2-2-1", "2-2-2-2-2-1", "3-3-3-1"}
    as_claimed = {arm: float(arm[1] not in narrow) for arm in ARMS}
    assert LabResult({}, bent_criteria(as_claimed), "").verdict == "confirmed"
    opposite = {arm: 1 - share for arm, share in as_claimed.items()}
    assert LabResult({}, bent_criteria(opposite), "").verdict == "refuted"
