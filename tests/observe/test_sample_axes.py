"""Rows of outputs and samples of inputs, compared with maps whose dependence is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from netwise.observe.sample_axes import (
    SampleAxis,
    arrangements,
    dependence,
    sample_axes,
    with_sample_changed,
)

X = torch.randn(6, 4, 3, generator=torch.Generator().manual_seed(0))


def answer(function: Callable[[Tensor], Tensor], axis: int = 0, x: Tensor = X) -> object:
    where = next(a for a in sample_axes([x]) if a.axis == axis)

    def call(args: tuple[Tensor], kwargs: object) -> list[Tensor]:
        return [function(args[0])]

    found = dependence(call, (x,), {}, where, [function(x)])
    return found.mixes if found.known else None


SEPARATE = {
    "each number": lambda x: 2 * x,
    "mean of each sample": lambda x: x.mean((1, 2)),
    "flat rows": lambda x: x.reshape(24, 3),
    "interleaved rows": lambda x: x.transpose(0, 1).reshape(24, 3),
    "samples last": lambda x: x.permute(1, 2, 0).cumsum(0),
    "twice": lambda x: torch.cat([x, -x]),
}
MIXED = {
    "softmax": lambda x: x.softmax(0),
    "centred": lambda x: x - x.mean(0),
    "cumulative": lambda x: x.cumsum(0),
    "scrambled": lambda x: x.view(4, 6, 3).transpose(0, 1).sum(1),
    "turned": lambda x: x.flip(0),
}


@pytest.mark.parametrize("name", SEPARATE)
def test_separate_samples(name: str) -> None:
    assert answer(SEPARATE[name]) is False


@pytest.mark.parametrize("name", MIXED)
def test_mixed_samples(name: str) -> None:
    assert answer(MIXED[name]) is True


def test_along_the_other_axis_a_cumulative_sum_is_separate() -> None:
    assert answer(lambda x: x.cumsum(0), axis=1) is False


def test_outputs_without_rows_are_not_known() -> None:
    assert answer(lambda x: x.mean()) is None
    assert answer(lambda x: x.sum(0)[:1, :2]) is None


def test_words_and_masks_are_exchanged_and_not_computed_with() -> None:
    words = torch.tensor([[1, 2], [1, 2], [5, 9]])
    (changed,), _ = with_sample_changed((words,), {}, SampleAxis(0, 3, (0,)), 0) or ((), {})
    assert changed.tolist() == [[5, 9], [1, 2], [5, 9]]
    assert words.tolist()[0] == [1, 2]
    equal = torch.ones(3, 2)
    assert with_sample_changed((equal,), {}, SampleAxis(0, 3, (0,)), 0) is None


def test_targets_of_one_number_tell_the_axis() -> None:
    assert [a.axis for a in sample_axes([X], samples=4)] == [1]
    assert [a.axis for a in sample_axes([X])] == [0, 1]


def test_several_inputs_are_changed_together_first() -> None:
    found = sample_axes([torch.zeros(5, 2), torch.zeros(5)])
    assert [(a.axis, a.members) for a in found] == [(0, (0, 1)), (1, (0,)), (0, (0,)), (0, (1,))]


def test_arrangements_of_rows() -> None:
    rows = [each.rows(1).tolist() for each in arrangements((6, 2), SampleAxis(0, 3, (0,)))]
    assert rows == [[2, 3], [1, 4]]
