"""L71: the layer of thresholds, and criteria that can fail."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.neurons.hebb_and_delta import (
    INPUTS,
    TARGETS,
    decide,
    gradient_differences,
    learn_by_delta,
    lengths_of_weights,
    most_right_on_grid,
    rule_criteria,
    signs_of_hebb,
)


def test_a_layer_of_thresholds_decides_by_the_sign() -> None:
    w = torch.tensor([[1.0, 1.0, -1.0]], dtype=torch.float64)
    assert decide(w, INPUTS).flatten().tolist() == [-1, -1, -1, 1]


@pytest.mark.parametrize("name", ["AND", "OR"])
def test_what_the_delta_rule_has_learned_is_the_function(name: str) -> None:
    right, weights = learn_by_delta(TARGETS[name], 0.1, 20)
    assert right[-1] == 4
    assert torch.equal(decide(weights[-1], INPUTS), TARGETS[name])
    assert most_right_on_grid(TARGETS[name]) == 4


def test_no_weights_on_the_grid_solve_xor() -> None:
    assert most_right_on_grid(TARGETS["XOR"]) == 3


def test_pieces_of_l71() -> None:
    assert signs_of_hebb(0.3) == 1
    hebbian, oja_length = lengths_of_weights(0.1)
    assert hebbian > 1e20
    assert oja_length == pytest.approx(1)
    entropy, squares = gradient_differences()
    assert entropy < 1e-12 < squares


def test_l71_can_be_refuted() -> None:
    numbers = dict(nw.lab("L71").run(epochs=30).numbers)
    assert LabResult({}, rule_criteria(numbers), "").verdict == "confirmed"
    numbers |= {
        "Hebb: share of the pairs with the sign of x y": 0.5,
        "AND: passes until all are right": 30.0,
        "AND, OR: largest change of a weight after that": 0.1,
        "XOR: most samples that were ever right": 4.0,
    }
    assert LabResult({}, rule_criteria(numbers), "").verdict == "refuted"
