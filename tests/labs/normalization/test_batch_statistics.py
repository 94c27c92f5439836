"""Batches and accuracies of L31 against torch; its criteria can fail."""

from __future__ import annotations

import torch
from torch import nn

from netwise.labs.lab_definition import LabResult
from netwise.labs.normalization.batch_statistics import accuracy, batches, criteria

Y = torch.tensor([0, 1, 1, 0, 1, 1, 0])


def test_batches_of_one_class_have_all_samples_but_lone_ones() -> None:
    parts = batches(Y, "one class", 3)
    assert [part.tolist() for part in parts] == [[0, 3, 6], [1, 2, 4]]  # 5 would be alone


def test_other_batches_are_shuffled_once() -> None:
    assert [len(part) for part in batches(Y, "2 samples", 3)] == [2, 2, 2]
    assert [len(part) for part in batches(Y, "mixed", 3)] == [3, 3]


def test_own_statistics_cancel_what_a_batch_has_in_common() -> None:
    """Class 0 at -1 and class 1 at 1, with small differences."""
    x = (2.0 * Y - 1)[:, None] + torch.linspace(-0.1, 0.1, 7)[:, None]
    module = nn.Sequential(nn.BatchNorm1d(1), nn.Linear(1, 2))
    module[1].weight.data = torch.tensor([[-1.0], [1.0]])
    module[1].bias.data.zero_()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    parts = batches(Y, "one class", 10)
    assert accuracy(module, x, Y, parts, "saved") == 1
    assert accuracy(module, x, Y, parts, "batch") < 0.8
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.training


def test_the_criteria_can_fail() -> None:
    numbers = {
        "batch, mixed: accuracy": 0.8,
        "batch, one class: accuracy": 0.7,
        "batch, 2 samples: accuracy": 0.85,
        "saved, mixed: accuracy": 0.9,
        "saved, one class: accuracy": 0.8,
        "saved, 2 samples: accuracy": 0.9,
    }
    assert not any(criterion.holds for criterion in criteria(numbers))
    right = {**numbers, "batch, one class: accuracy": 0.2, "saved, one class: accuracy": 0.9}
    assert LabResult({}, criteria(right), "").verdict == "confirmed"
