"""Samples of tensors: which numbers, how many, and of which tensors none."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from netwise.observe.tensor_samples import plain, rows_of, steps_of


def test_small_tensors_are_read_whole() -> None:
    x = torch.arange(60).reshape(3, 4, 5)
    assert torch.equal(rows_of(x), x.reshape(3, 20))
    assert rows_of(torch.tensor(7.0)).tolist() == [[7.0]]
    assert rows_of(torch.zeros(0, 3)).shape == (0, 3)
    assert rows_of(torch.zeros(3, 0)).shape == (3, 0)
    assert torch.equal(rows_of(x.transpose(0, 2)), x.transpose(0, 2).reshape(5, 12))


def test_rows_come_from_all_parts() -> None:
    rows = rows_of(torch.arange(10**6), most_numbers=1000).flatten()
    assert len(rows) == 1000
    assert bool((rows.diff() > 0).all())
    parts = rows.div(1000, rounding_mode="floor")
    assert torch.equal(parts, torch.arange(1000))


@pytest.mark.parametrize("period", [2, 3, 10, 16, 100, 128])
def test_periodic_targets_are_not_aliased(period: int) -> None:
    rows = rows_of(torch.arange(2**20) % period, most_numbers=2**12).flatten()
    shares = torch.bincount(rows, minlength=period) / len(rows)
    assert float((shares - 1 / period).abs().max()) < 0.3 / period


def test_columns_depend_on_the_shape_of_a_sample_alone() -> None:
    x = torch.arange(3 * 50 * 60).reshape(3, 50, 60)
    small, large = rows_of(x[None], 500), rows_of(x.expand(10**5, 3, 50, 60), 500, 10**5)
    assert small.shape[1] <= 500
    assert len(large) * large.shape[1] <= 10**5
    assert bool((large == small).all())
    steps = steps_of((3, 50, 60), 500)
    assert small.shape[1] == len(x[:: steps[0], :: steps[1], :: steps[2]].flatten())


class Labels(Tensor):
    """A subclass with attributes alone."""


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_which_tensors_are_read() -> None:
    weight = nn.Parameter(torch.ones(2))
    read = plain(weight)
    assert read is not None
    assert not read.requires_grad
    assert type(plain(torch.ones(2).as_subclass(Labels))) is Tensor
    with torch.inference_mode():
        assert plain(torch.ones(2)) is not None
    for value in (
        torch.eye(2).to_sparse(),
        torch.eye(2).to_sparse_csr(),
        torch.ones(2, dtype=torch.complex64),
        torch.ones(2, device="meta"),
    ):
        assert plain(value) is None


@pytest.mark.filterwarnings("ignore:.torch.jit.trace. is deprecated")
def test_nothing_is_read_under_transformations_and_dispatch_modes() -> None:
    seen: list[Tensor | None] = []

    def spy(x: Tensor) -> Tensor:
        seen.append(plain(x))
        return x.sum()

    torch.vmap(spy)(torch.ones(2, 3))
    torch.func.grad(spy)(torch.ones(3))
    torch.jit.trace(spy, (torch.ones(3),), check_trace=False)
    with FlopCounterMode(display=False):
        spy(torch.ones(3))
    assert seen == [None] * len(seen)
    assert len(seen) == 4
