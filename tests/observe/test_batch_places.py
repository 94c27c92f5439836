"""Tables that are added along the samples of a batch, and what is none of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.batch_places import added_by_place
from netwise.observe.sample_axes import SampleAxis

X = torch.randn(6, 4, 3, generator=torch.Generator().manual_seed(0))
TABLE = torch.randn(9, 3, generator=torch.Generator().manual_seed(1))


class Applied(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(2 * x)


def operation(function: Callable[[Tensor], Tensor]) -> str:
    module = Applied(function)
    axis = SampleAxis(0, 6, (0,))

    def call(args: tuple[Tensor], kwargs: object, seed: int = 0) -> list[Tensor]:
        torch.manual_seed(seed)
        return [module(*args)]

    before = call((X,), {})
    return added_by_place(
        module, call, (X,), {}, axis, before, lambda args, kwargs: call(args, kwargs, 1)
    )[0]


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: (x + TABLE[:6, None]).relu(), "add of (6, 4, 3)"),
        (lambda x: x.exp() * TABLE[:6, None], "mul of (6, 4, 3)"),
    ],
)
def test_a_table_along_the_samples(function: Callable[[Tensor], Tensor], name: str) -> None:
    assert operation(function) == name


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + TABLE[:4],  # along the time
        lambda x: x + torch.ones(6, 1, 1),  # the same for all samples
        lambda x: torch.cat([x[:3].exp(), x[3:].tanh()]),  # two halves with branches of their own
        lambda x: x.softmax(1),
    ],
)
def test_what_is_none(function: Callable[[Tensor], Tensor]) -> None:
    assert operation(function) == ""


def test_noise_is_no_table() -> None:
    """A code is drawn around its mean, with the same random numbers in each call."""
    assert operation(lambda x: x + x.exp() * torch.randn_like(x)) == ""
