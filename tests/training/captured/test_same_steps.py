"""What a step changes can be put back, and bits are compared."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from netwise.training.captured.same_steps import Before, same_bits


def test_values_and_the_generator_are_put_back_in_the_same_memory() -> None:
    tensor, number = torch.ones(3, requires_grad=True), torch.tensor(2)
    place = tensor.data_ptr()
    before = Before([tensor, number])
    first = torch.rand(2)
    with torch.no_grad():
        tensor.mul_(5)
    number.add_(1)
    before.restore()
    assert (tensor.tolist(), int(number), tensor.data_ptr()) == ([1.0] * 3, 2, place)
    assert torch.equal(torch.rand(2), first)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (torch.tensor([math.nan]), torch.tensor([math.nan]), True),
        (torch.tensor([0.0]), torch.tensor([-0.0]), False),
        (torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64), False),
        (torch.tensor([1, 2]), torch.tensor([1, 2]), True),
        (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0000002]), False),
        (None, None, True),
        (None, torch.tensor([1.0]), False),
    ],
    ids=["nan", "zeros", "types", "whole", "last bit", "none", "one"],
)
def test_same_bits(one: Tensor | None, other: Tensor | None, same: bool) -> None:
    assert same_bits(one, other) is same
