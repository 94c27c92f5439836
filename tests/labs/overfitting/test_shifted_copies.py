"""Criteria of L17 can fail; both arms take as many steps."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.labs.overfitting.shifted_copies import (
    COPIES,
    ShiftSettings,
    accuracy_when_moved,
    shift_arms,
    shift_criteria,
)
from netwise.labs.stacked_training import untrained_stack

GOOD = {
    "gain of the copies, points: mean": 2.0,
    "gain of the copies, points: low": 1.0,
    "images: accuracy lost on moved test images, points": 8.0,
    "images and copies: accuracy lost on moved test images, points": 3.0,
}


@pytest.mark.parametrize(
    ("name", "bad", "place"),
    [
        ("gain of the copies, points: mean", 1.5, 0),
        ("gain of the copies, points: low", -0.1, 1),
        ("images and copies: accuracy lost on moved test images, points", 4.1, 2),
    ],
)
def test_each_criterion_can_fail(name: str, bad: float, place: int) -> None:
    assert all(criterion.holds for criterion in shift_criteria(GOOD))
    holds = [criterion.holds for criterion in shift_criteria({**GOOD, name: bad})]
    assert holds == [i != place for i in range(3)]


def test_both_arms_take_as_many_steps() -> None:
    plain, copied = shift_arms(ShiftSettings(epochs=3)).values()
    assert plain.epochs == COPIES * copied.epochs
    assert plain.but(augment=copied.augment, epochs=copied.epochs) == copied


def test_images_that_look_alike_when_moved_are_answered_alike() -> None:
    data = nw.data.arrays(torch.rand(20, 1, 4, 4).numpy(), [0, 1] * 10)
    stack = untrained_stack(nw.Recipe(data=data, network=nw.MLP((16, 3, 2))), (0, 1))
    x, y = torch.full((6, 1, 4, 4), 0.5), torch.zeros(6, dtype=torch.long)
    right = (stack.outputs(x).argmax(-1) == y).double().mean()
    assert accuracy_when_moved(stack, x, y) == pytest.approx(100 * float(right))
