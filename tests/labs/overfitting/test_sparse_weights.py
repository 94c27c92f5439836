"""Shares of small weights, and the size at which L1 and L2 pull alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.labs.overfitting.sparse_weights import (
    crossing,
    pruned_accuracy,
    share_below,
    sparse_criteria,
)
from netwise.labs.stacked_training import TrainedStack, untrained_stack

GOOD = {
    "share below 0.01, L1 / L2: least": 30.0,
    "size at which both shrink a weight alike": 1.0,
    "mean size of a weight, L2 / no penalty": 0.7,
    "L1: accuracy lost by setting weights below 0.01 to 0, points": 0.1,
}


def stack() -> TrainedStack:
    network = nw.MLP((64, 6, 10), activation=nw.Sigmoid())
    return untrained_stack(nw.Recipe(data=nw.data.digits(), network=network), (0, 1))


@pytest.mark.parametrize(
    ("name", "bad"), [(name, bad) for name, bad in zip(GOOD, (4.0, 0.9, 1.1, 0.6), strict=True)]
)
def test_each_criterion_can_fail(name: str, bad: float) -> None:
    assert all(criterion.holds for criterion in sparse_criteria(GOOD))
    holds = [criterion.holds for criterion in sparse_criteria({**GOOD, name: bad})]
    assert holds == [each != name for each in GOOD]


def test_the_share_of_small_weights_is_counted_over_all_layers() -> None:
    layers = [torch.tensor([[[0.5, 0.001]], [[1.0, -2.0]]]), torch.tensor([[[-0.002]], [[3.0]]])]
    np.testing.assert_allclose(share_below(layers, 0.01), [2 / 3, 0.0])


@pytest.mark.parametrize("strength", [0.01, 3.0])
def test_both_penalties_pull_alike_at_one(strength: float) -> None:
    assert crossing(strength) == pytest.approx(1.0)


def test_pruning_keeps_networks_without_small_weights_and_empties_others() -> None:
    trained, test = stack(), nw.data.digits().load().test
    right = (trained.outputs(test.x).argmax(-1) == test.y).double().mean(1).numpy()
    large = replace(trained, weights=[w + 1000 * w.sign() for w in trained.weights])
    kept = (large.outputs(test.x).argmax(-1) == test.y).double().mean(1).numpy()
    np.testing.assert_allclose(pruned_accuracy(large, test.x, test.y), kept)
    empty = replace(trained, weights=[w / 1000 for w in trained.weights])
    assert len(right) == 2
    answers = [int(b.argmax()) for b in trained.biases[-1]]  # only the biases are left
    first = torch.sigmoid(trained.biases[0])
    assert first.shape == (2, 1, 6)
    expected = [float((test.y == answer).double().mean()) for answer in answers]
    np.testing.assert_allclose(pruned_accuracy(empty, test.x, test.y), expected)
