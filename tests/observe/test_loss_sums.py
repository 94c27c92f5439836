"""The way from a loss to its elements."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from netwise.observe.autograd_nodes import operation
from netwise.observe.loss_sums import (
    Descent,
    descend,
    is_penalty,
    past_numbers,
    smoothed_part,
    summands,
)
from networks_of_daily_life import X, Y, mlp


def test_numbers_that_a_loss_is_multiplied_by() -> None:
    loss = F.cross_entropy(mlp()(X), Y)
    way = Descent((-(3 * loss) / 4 + 1).grad_fn)
    assert operation(past_numbers(way)) == "NllLoss"
    assert way.constants == pytest.approx([1 / 4, -1, 3], rel=1e-6)
    learned = nn.Parameter(torch.ones(()))
    assert operation(past_numbers(Descent((learned * loss).grad_fn))) == "Mul"


def test_summands_and_their_constants() -> None:
    model = mlp()
    weights = sum((weight**2).sum() for weight in model.parameters())
    ways = summands((F.cross_entropy(model(X), Y) - 0.5 * weights).grad_fn)
    assert len(ways) == 5
    assert [is_penalty(way.node) for way in ways] == [False, True, True, True, True]
    products = sorted(torch.tensor(way.constants).prod().item() for way in ways)
    assert products == pytest.approx([-0.5] * 4 + [1])


def test_many_summands() -> None:
    weights = nn.ParameterList(nn.Parameter(torch.ones(1)) for _ in range(300))
    loss = F.cross_entropy(mlp()(X), Y) + sum(weight.square().sum() for weight in weights)
    assert len(summands(loss.grad_fn)) == 301


def test_means_over_some_axes_are_counted() -> None:
    errors = (mlp()(X) - 1) ** 2
    for loss, averaged in ((errors.mean(1).sum(), 1 / 3), (errors.mean(0).mean(), 1 / 18)):
        way = Descent(loss.grad_fn)
        assert descend(way) is not None
        assert way.averaged == pytest.approx(averaged)


def test_a_choice_between_elements_weights_them_and_one_between_numbers_does_not() -> None:
    """Keras divides by the number of targets, and takes 0 where there is none."""
    losses = F.cross_entropy(mlp()(X), Y, reduction="none")
    whole = torch.where(torch.tensor(False), torch.zeros(()), losses.sum() / len(X))
    masked = torch.where(torch.arange(len(X)) > 1, losses, torch.zeros(len(X))).mean()
    for loss, is_weighted in ((whole, False), (masked, True)):
        way = Descent(loss.grad_fn)
        assert descend(way) is not None
        assert way.is_weighted is is_weighted


def test_label_smoothing() -> None:
    output = mlp()(X)
    smoothed = F.cross_entropy(output, Y, label_smoothing=0.2, weight=torch.ones(3))
    assert operation(smoothed_part(smoothed.grad_fn)) == "NllLoss"
    both = F.cross_entropy(output, Y) + F.cross_entropy(output, Y)
    assert smoothed_part(both.grad_fn) is None
