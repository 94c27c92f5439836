"""Axes of a softmax and of its targets."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.observe.softmax_axes import softmax_beside_targets

ROWS = F.one_hot(torch.randint(5, (2, 7)), 5).float()  # (views, samples, classes)
MAPS = ROWS.transpose(1, 2)  # (samples, classes, places)


def asked(loss: Tensor) -> str:
    return softmax_beside_targets(loss.grad_fn)  # type: ignore[arg-type]


def outputs(like: Tensor) -> Tensor:
    return torch.randn(like.shape, requires_grad=True)


def entropy(dim: int, targets: Tensor) -> Tensor:
    return -(targets * torch.log_softmax(outputs(targets), dim=dim)).sum(-1).mean()


@pytest.mark.parametrize(
    ("dim", "targets", "along"),
    [(1, ROWS, 2), (0, ROWS, 2), (-1, MAPS, 1), (1, 0.9 * ROWS + 0.02, 2)],
)
def test_another_axis(dim: int, targets: Tensor, along: int) -> None:
    shape = tuple(targets.shape)
    expected = f"axis {dim % 3} of {shape}, targets along axis {along}"
    assert asked(entropy(dim, targets)) == expected


def test_other_ways_to_write_it() -> None:
    x = outputs(ROWS)
    expected = "axis 1 of (2, 7, 5), targets along axis 2"
    assert asked(-(ROWS * torch.log(torch.softmax(x, 1) + 1e-9)).mean()) == expected
    assert asked(F.kl_div(F.log_softmax(x, 1), ROWS, reduction="batchmean")) == expected


@pytest.mark.parametrize(
    ("dim", "targets"),
    [
        (2, ROWS),
        (1, MAPS),
        (1, ROWS * (torch.arange(7) < 4)[:, None]),  # padding has rows of zeros
        (1, torch.rand(2, 7, 5)),  # weights, no distributions
        (1, torch.eye(5)[None].expand(2, -1, -1).clone()),  # along both axes
        (0, torch.eye(5)),
    ],
    ids=["classes last", "classes second", "padding", "weights", "both", "two axes"],
)
def test_healthy_neighbours(dim: int, targets: Tensor) -> None:
    assert asked(entropy(dim, targets)) == ""
