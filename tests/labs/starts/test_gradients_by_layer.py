"""L07: the norms are those of the errors that back-propagation carries; its criteria can fail."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.starts.gradients_by_layer import (
    SIGMOID,
    gradient_criteria,
    norms_in_training,
    speed_ratio,
)
from netwise.recipe.prepared import prepare


def small(init: nw.Initializer, **changes: object) -> nw.Recipe:
    return nw.Recipe(
        data=nw.data.digits(valid=0.0, test=0.0),
        network=nw.MLP((64, 6, 5, 10), activation=nw.Sigmoid()),
        init=init,
        loss=nw.BinaryCrossEntropy(),
        penalty=nw.L2(strength=0.01),
        optimizer=nw.SGD(lr=0.1),
        batch_size=1797,
        epochs=3,
    ).but(**changes)


def test_the_norms_are_those_of_the_error_carried_back_by_hand() -> None:
    recipe = small(nw.Constant(weight=0.1, bias=0.2))
    train = prepare(recipe).samples.train
    a0, y = train.x.flatten(1).double(), torch.nn.functional.one_hot(train.y, 10).double()
    a1 = torch.sigmoid(a0 @ torch.full((64, 6), 0.1, dtype=torch.float64) + 0.2)
    a2 = torch.sigmoid(a1 @ torch.full((6, 5), 0.1, dtype=torch.float64) + 0.2)
    a3 = torch.sigmoid(a2 @ torch.full((5, 10), 0.1, dtype=torch.float64) + 0.2)
    second = ((a3 - y) @ torch.full((10, 5), 0.1, dtype=torch.float64)) * a2 * (1 - a2)
    first = (second @ torch.full((5, 6), 0.1, dtype=torch.float64)) * a1 * (1 - a1)
    expected = [float(first.mean(0).norm()), float(second.mean(0).norm())]
    norms = norms_in_training(recipe, 1)[0]
    assert norms == pytest.approx(expected, rel=1e-4)
    assert speed_ratio(norms) == pytest.approx(expected[1] / expected[0], rel=1e-4)


def test_the_steps_are_those_of_fit() -> None:
    """After two steps the errors are those of the network that `fit` gives."""
    recipe = small(nw.LeCun(bias_std=1.0), epochs=2)
    run = nw.fit(recipe, watch_every=0)
    train = prepare(recipe).samples.train
    module = run.module
    module.zero_grad()
    recipe.loss.build()(module(train.x), train.y).backward()
    expected = [float(layer.bias.grad.norm()) for layer in (module.layer1, module.layer2)]  # type: ignore[union-attr, operator]
    assert norms_in_training(recipe, 3)[2] == pytest.approx(expected, rel=1e-4)


def numbers(start: float, trained: float, others: float) -> dict[str, float]:
    return {
        f"{SIGMOID}: last / first, median": start,
        "sigmoid, in training: lowest median of last / first": trained,
        "tanh, Glorot: last / first, median": others,
        "ReLU, He: last / first, median": 1.0,
    }


def test_l07_can_be_confirmed_and_refuted() -> None:
    assert LabResult({}, gradient_criteria(numbers(95.8, 50, 1.5)), "").verdict == "confirmed"
    assert LabResult({}, gradient_criteria(numbers(9, 4, 1.5)), "").verdict == "refuted"
    assert not gradient_criteria(numbers(95.8, 50, 6))[2].holds
