"""L72: counts against enumeration, and criteria that can fail."""

from __future__ import annotations

from itertools import product

import pytest

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.neurons.cost_of_gradients import cost_criteria, flops_of_autograd, forward_pass


def test_a_forward_pass_multiplies_once_for_each_weight() -> None:
    widths = (3, 4, 2)
    weights = sum(p.numel() for p in nw.MLP(widths).build().parameters() if p.dim() == 2)
    assert forward_pass(widths) == weights


def test_paths_are_those_of_an_enumeration() -> None:
    widths = (2, 3, 2, 2)
    multiplications = 0
    for layer in range(3):
        # from a weight of the layer: one unit of each later layer
        for _ in product(*(range(width) for width in widths[layer:])):
            multiplications += 1 + 2 * (len(widths) - layer - 2)
    assert nw.learning_rules.count_operations(widths).paths == multiplications


def test_autograd_leaves_out_the_gradient_of_the_inputs() -> None:
    assert flops_of_autograd((10, 10)) == pytest.approx(1)  # of the weights alone
    assert flops_of_autograd((10,) * 5) == pytest.approx(2 - 1 / 4)


def test_l72_can_be_refuted() -> None:
    numbers = {
        "backward mode / forward pass, largest": 2.0,
        "paths: smallest factor of one more layer / width": 1.1,
        "forward mode / backward mode / weights, deepest": 0.2,
        "torch: operations of backward / forward, deepest": 1.9,
    }
    assert LabResult({}, cost_criteria(numbers), "").verdict == "confirmed"
    wrong = dict.fromkeys(numbers, 0.05) | {"backward mode / forward pass, largest": 4.0}
    assert LabResult({}, cost_criteria(wrong), "").verdict == "refuted"
