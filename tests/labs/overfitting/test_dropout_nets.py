"""Scaling of dropout and averages over masks against each other, and criteria that can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import netwise as nw
from netwise.labs.overfitting.dropout_nets import (
    accuracies,
    averaged_over_masks,
    cross_entropy,
    dropout_criteria,
    unscaled,
    vote_criteria,
)
from netwise.labs.stacked_training import TrainedStack, untrained_stack

DROPOUT = {
    "1,000 images, gain of dropout, points: mean": 1.5,
    "1,000 images, lost without the scaling, points: low": 0.1,
    "1,000 images, test cost without the scaling / with": 1.5,
    "10,000 images, gain of dropout, points: mean": 0.5,
}
VOTE = {
    "vote minus single network, points: low": 0.2,
    "scaling minus average over masks, points: mean": 0.1,
    "dropout minus vote, points: mean": 0.0,
}


@pytest.mark.parametrize(
    ("place", "bad", "holds"),
    [
        (0, 0.8, [False, True, True, True]),
        (1, 0.0, [True, False, True, True]),
        (2, 1.1, [True, True, False, True]),
        (3, 1.6, [True, True, True, False]),
    ],
)
def test_each_criterion_of_dropout_can_fail(place: int, bad: float, holds: list[bool]) -> None:
    assert all(criterion.holds for criterion in dropout_criteria(DROPOUT))
    changed = {**DROPOUT, list(DROPOUT)[place]: bad}
    assert [criterion.holds for criterion in dropout_criteria(changed)] == holds


@pytest.mark.parametrize(("place", "bad"), [(0, 0.0), (1, -0.2), (2, -0.4)])
def test_each_criterion_of_votes_can_fail(place: int, bad: float) -> None:
    assert all(criterion.holds for criterion in vote_criteria(VOTE))
    changed = {**VOTE, list(VOTE)[place]: bad}
    assert [c.holds for c in vote_criteria(changed)] == [i != place for i in range(3)]


def stack() -> TrainedStack:
    network = nw.MLP((64, 40, 10), activation=nw.Sigmoid())
    recipe = nw.Recipe(data=nw.data.digits(), network=network, loss=nw.BinaryCrossEntropy())
    return untrained_stack(recipe, (0, 1))


def test_without_dropout_the_average_over_masks_is_the_network() -> None:
    x = nw.data.digits().load().test.x
    torch.testing.assert_close(averaged_over_masks(stack(), x, 3, 0.0), stack().outputs(x))


def test_the_average_over_many_masks_is_near_the_scaled_network() -> None:
    x = nw.data.digits().load().test.x[:20]
    difference = averaged_over_masks(stack(), x, 400, 0.5) - stack().outputs(x)
    assert float(difference.abs().max()) < 0.03


def test_without_the_scaling_the_sums_of_hidden_units_are_twice_as_large() -> None:
    whole = stack()
    doubled = unscaled(replace(whole, biases=[b * 0 for b in whole.biases]), 0.5)
    torch.testing.assert_close(doubled.weights[1], 2 * whole.weights[1])
    assert torch.equal(doubled.weights[0], whole.weights[0])


def test_accuracy_and_cost_are_those_of_torch() -> None:
    predictions = torch.tensor([[[0.9, 0.2], [0.4, 0.6]], [[0.1, 0.8], [0.7, 0.3]]])
    y = torch.tensor([0, 1])
    assert accuracies(predictions, y).tolist() == [1.0, 0.0]
    target = torch.eye(2)
    expected = [2 * float(torch.nn.functional.binary_cross_entropy(p, target)) for p in predictions]
    assert cross_entropy(predictions, y).tolist() == pytest.approx(expected)
