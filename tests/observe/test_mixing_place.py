"""The first operation that mixes samples, in passes whose operations are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from netwise.observe.mixing_place import MixingPlace, find_mixing
from netwise.observe.sample_axes import SampleAxis, with_sample_changed

X = torch.randn(6, 4, 3, generator=torch.Generator().manual_seed(0))


class Applied(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(2 * x)


def place_of(module: nn.Module) -> MixingPlace | None:
    def call(args: tuple[Tensor], kwargs: Any) -> Any:
        return module(*args)

    axis = SampleAxis(0, 6, (0,))
    changes = [(s, with_sample_changed((X,), {}, axis, s) or ((), {})) for s in (0, 3)]
    with torch.no_grad():
        return find_mixing(module, call, changes, ((X,), {}), 0, 6)


@pytest.mark.parametrize(
    ("function", "by", "operation"),
    [
        (lambda x: x.softmax(0).exp(), "softmax", "softmax over axis 0 of (6, 4, 3)"),
        (lambda x: nn.functional.softmax(x, dim=-3), "softmax", "softmax over axis 0 of (6, 4, 3)"),
        (lambda x: x / x.sum(0), "statistics", "sum of (4, 3)"),
        (lambda x: x.reshape(4, 6, 3).sum(0), "view", "reshape from (6, 4, 3) to (4, 6, 3)"),
        (lambda x: torch.eye(6) @ x.flatten(1), "constant", "matmul of (6, 12)"),
        (lambda x: x.flatten(1) @ x.flatten(1).T, "product", "matmul of (6, 6)"),
        (lambda x: x.cumsum(0), "other", "cumsum of (6, 4, 3)"),
    ],
    ids=["softmax", "functional", "sum", "reshape", "matrix", "product", "cumsum"],
)
def test_kinds_of_mixing(function: Callable[[Tensor], Tensor], by: str, operation: str) -> None:
    # A matrix that is not zero anywhere, so that each row depends on all samples.
    torch.manual_seed(0)
    chosen = function
    if by == "constant":
        matrix = torch.rand(6, 6)
        chosen = lambda x: matrix @ x.flatten(1)  # noqa: E731
    found = place_of(nn.Sequential(nn.Linear(3, 3), Applied(chosen)))
    assert found is not None
    assert (found.by, found.operation, found.layer) == (by, operation, "1")
    assert found.line.startswith("test_mixing_place.py:")


def test_changes_of_shape_that_keep_samples_together_are_none() -> None:
    flat = Applied(lambda x: x.view(24, 3).view(6, 12).view(2, 3, 12).softmax(0))
    found = place_of(flat)
    assert found is not None
    assert found.by == "softmax"


def test_without_mixing_there_is_no_place() -> None:
    assert place_of(Applied(lambda x: x.permute(1, 0, 2).softmax(0))) is None
