"""Scores of the wrong numbers are seen in evaluations, and usual scores are left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.observe.score_reader import (
    HALF_OF_LOGITS,
    MOST_PASSES,
    ONE_COLUMN,
    OVER_SAMPLES,
    ROUNDED_LOGITS,
    VALUES,
    ScoreReader,
)

Score = Callable[[Tensor, Tensor], Tensor]
N = 24
YES = (torch.arange(N)[:, None] % 2).float()
CLASSES = torch.arange(N) % 3
NUMBERS = torch.linspace(-1, 1, N)[:, None]


def misread(outputs: int, target: Tensor, score: Score, loss: Score | None = None) -> str:
    torch.manual_seed(0)
    model = nn.Linear(4, outputs)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(N, 4)
    with nw.watch() as w:
        for _ in range(2):
            optimizer.zero_grad()
            (model(x).square().mean() if loss is None else loss(model(x), target)).backward()
            optimizer.step()
            with torch.no_grad():
                score(model(x), target)
    wiring = w.history().wiring
    assert wiring is not None
    assert w.errors == ()
    return wiring.score_misread


@pytest.mark.parametrize(
    ("outputs", "target", "score", "found"),
    [
        (1, YES, lambda o, y: (o.argmax(1) == y[:, 0]).float().mean(), ONE_COLUMN),
        (1, YES, lambda o, y: (o.max(1)[1] == y[:, 0]).float().mean(), ONE_COLUMN),
        (1, YES, lambda o, y: (torch.argmax(o, dim=-1).float() == y[:, 0]).sum(), ONE_COLUMN),
        (1, YES, lambda o, y: (o.argmax(0) == y[:, 0]).float().mean(), OVER_SAMPLES),
        (3, CLASSES, lambda o, y: (torch.max(o, 1)[0] == y).sum(), VALUES),
        (3, CLASSES, lambda o, y: y.eq(o.max(dim=1).values).sum(), VALUES),
        (3, CLASSES, lambda o, y: (o.argmax(1)[:, None] == y).float().mean(), "give (24, 24)"),
        (1, YES, lambda o, y: ((o > 0).float() == y[:, 0]).float().mean(), "give (24, 24)"),
        (1, NUMBERS, lambda o, y: ((o - y[:, 0]) ** 2).mean(), "give (24, 24)"),
    ],
)
def test_scores_of_the_wrong_numbers(
    outputs: int, target: Tensor, score: Score, found: str
) -> None:
    assert found in misread(outputs, target, score)


@pytest.mark.parametrize(
    ("outputs", "target", "score"),
    [
        (3, CLASSES, lambda o, y: (o.argmax(1) == y).float().mean()),
        (3, CLASSES, lambda o, y: (o.argmax(1)[:, None] == torch.arange(3)).float().mean()),
        (3, CLASSES, lambda o, y: (o.max(1)[1] == y).float().mean()),
        (3, CLASSES, lambda o, y: ((o == o.max(1, keepdim=True)[0]).long().argmax(1) == y).sum()),
        (3, CLASSES, lambda o, y: ((o.max(1).values > 0.1) == (y > 0)).float().mean()),
        (3, CLASSES, lambda o, y: (o.topk(2, 1)[1] == y[:, None]).any(1).float().mean()),
        (1, YES, lambda o, y: ((o > 0).float() == y).float().mean()),
        (1, YES, lambda o, y: (o[y == 1][:, None] > o[y == 0]).float().mean()),
        (1, NUMBERS, lambda o, y: ((o - o.T).sign() == (y - y.T).sign()).float().mean()),
        (1, NUMBERS, lambda o, y: 1 - ((o - y) ** 2).mean() / y.var()),
        (1, NUMBERS, lambda o, y: F.l1_loss(o, y)),
        (1, NUMBERS, lambda o, y: (y == y[:, 0]).float().mean()),  # of targets alone
    ],
)
def test_usual_scores(outputs: int, target: Tensor, score: Score) -> None:
    assert misread(outputs, target, score) == ""


def test_it_looks_at_the_first_evaluations_only() -> None:
    reader = ScoreReader()
    assert not reader.looks
    for _ in range(MOST_PASSES):
        reader.start([torch.zeros(4, 1)])
        assert reader.looks
    reader.start([torch.zeros(4, 1)])
    assert not reader.looks


SQUARE = torch.arange(N) % N  # as many classes as samples


@pytest.mark.parametrize(
    ("outputs", "target", "score", "loss", "found"),
    [
        (1, YES, lambda o, y: (o.round() == y).sum(), "logits", ROUNDED_LOGITS),
        (1, YES, lambda o, y: (o.squeeze(1).round() == y[:, 0]).sum(), "logits", ROUNDED_LOGITS),
        (1, YES, lambda o, y: ((o > 0.5).float() == y).sum(), "logits", HALF_OF_LOGITS),
        (1, YES, lambda o, y: ((o > 0).float() == y).sum(), "logits", ""),
        (1, YES, lambda o, y: (o.sigmoid().round() == y).sum(), "logits", ""),
        (1, YES, lambda o, y: ((o.sigmoid() > 0.5) == y).sum(), "logits", ""),
        (1, YES, lambda o, y: (o.round() == y).sum(), "squares", ""),
        (N, SQUARE, lambda o, y: (torch.max(o.data, 0)[1] == y).sum(), "classes", OVER_SAMPLES),
        (N, SQUARE, lambda o, y: (o.argmax(1) == y).sum(), "classes", ""),
        (N, SQUARE, lambda o, y: (o.T.argmax(0) == y).sum(), "classes", ""),
    ],
)
def test_scores_that_do_not_fit_the_training_loss(
    outputs: int, target: Tensor, score: Score, loss: str, found: str
) -> None:
    losses = {
        "logits": F.binary_cross_entropy_with_logits,
        "squares": F.mse_loss,
        "classes": F.cross_entropy,
    }
    assert misread(outputs, target, score, losses[loss]) == found
