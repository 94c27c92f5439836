"""Signs of losses made of cosine similarities."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.loss_graph import read_loss

NET, X = nn.Linear(4, 3), torch.rand(5, 4)
TARGET = torch.rand(5, 3)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return F.cosine_similarity(a, b, dim=1)


def by_hand(a: Tensor, b: Tensor) -> Tensor:
    return (F.normalize(a, dim=1) * F.normalize(b, dim=1)).sum(1)


@pytest.mark.parametrize("similarity", [cosine, by_hand, nn.CosineSimilarity(dim=1)])
@pytest.mark.parametrize("other", [lambda: TARGET, lambda: NET(2 * X + 1)])
def test_signs(similarity: Callable[[Tensor, Tensor], Tensor], other: Callable[[], Tensor]) -> None:
    s = similarity(NET(X), other())
    for loss, sign in (
        (s.mean(), 1),
        (0.5 * s.mean() + similarity(NET(1 - X), other()).mean() / 2, 1),
        (-s.mean(), -1),
        ((1 - s).mean(), -1),
        (2 - 2 * s.mean(), -1),
        (-(s.mean() + similarity(NET(1 - X), other()).mean()) / 2, -1),
    ):
        assert {each.term.similarity for each in read_loss(loss).terms} == {sign}


@pytest.mark.parametrize(
    "loss",
    [
        lambda: cosine(NET(X), TARGET).mean() - cosine(NET(1 - X), TARGET).mean(),  # negatives
        lambda: cosine(NET(X), TARGET).square().mean(),  # orthogonal on purpose
        lambda: cosine(NET(X), TARGET).mean() + F.mse_loss(NET(X), TARGET),
        lambda: F.cross_entropy(F.normalize(NET(X)) @ F.normalize(NET(X)).T, torch.arange(5)),
        lambda: (NET(X) * TARGET).sum(1).mean(),
        lambda: (F.normalize(NET(X)) * TARGET).sum(1).mean(),
    ],
)
def test_other_losses(loss: Callable[[], Tensor]) -> None:
    assert {each.term.similarity for each in read_loss(loss()).terms} == {0}
