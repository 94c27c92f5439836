"""Signals of kept numbers against torch and NumPy, one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from netwise import signals
from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.kept_steps import Row
from netwise.observe.step_signals import (
    write_accuracy,
    write_activation,
    write_classes,
    write_fresh,
    write_norms,
)

RNG = np.random.default_rng(0)


def rows(number: int) -> list[Row]:
    return [{} for _ in range(number)]


def test_classes_of_batches_are_counted() -> None:
    found, targets = rows(4), np.array([[3, 3, 3], [0, 1, 0], [2, 1, 0], [-1, 5, 5]])
    write_classes(found, [targets])
    expected = [{signals.BATCH_CLASSES: float(len(set(each)))} for each in targets.tolist()]
    assert found == expected
    write_classes(found, [np.zeros((4, 0), dtype=np.int64)])
    assert found[0] == {signals.BATCH_CLASSES: 0.0}


def test_accuracy_takes_the_first_of_equal_answers_as_torch_does() -> None:
    outputs = np.array([[[0.0, 1.0], [2.0, 2.0]], [[1.0, 0.0], [math.nan, 3.0]]])
    targets, found = np.array([[1, 0], [1, 0]]), rows(2)
    write_accuracy(found, [outputs, targets])
    for row, output, target in zip(found, outputs, targets, strict=True):
        same = torch.from_numpy(output).argmax(1) == torch.from_numpy(target)
        assert row[signals.ACCURACY] == float(same.float().mean())


def test_an_activation_has_moments_zeros_and_saturated_values() -> None:
    values, found = np.tanh(2 * RNG.normal(size=(2, 50))), rows(2)
    values[1, :10] = 0.0
    sums = [values.sum(1), np.square(values).sum(1), np.square(np.sign(values)).sum(1)]
    write_activation(found, [*sums, (np.abs(values) > 0.95).sum(1)], "a", 50)
    for row, each in zip(found, values, strict=True):
        assert row["activation.mean|a"] == pytest.approx(each.mean())
        assert row["activation.std|a"] == pytest.approx(each.std())
        assert row["activation.zeros|a"] == pytest.approx(float((each == 0).mean()))
        assert row["activation.saturated|a"] == float((np.abs(each) > 0.95).mean())
    found, nothing = rows(1), np.array([math.nan])
    write_activation(found, [nothing] * 3, "a", 50)
    assert found[0]["activation.zeros|a"] == 0.0  # of numbers that are none, nothing is said


def test_norms_of_a_layer_are_those_of_its_matrices_together() -> None:
    found, norms = rows(1), [np.array([each]) for each in (3.0, 0.3, 0.03, 4.0, 0.4, 0.04)]
    write_norms(found, norms, "a", 25)
    assert found[0] == {
        "weight.norm|a": pytest.approx(5.0),
        "gradient.rms|a": pytest.approx(0.5 / 5),
        "gradient.ratio|a": pytest.approx(0.1),
        "update.ratio|a": pytest.approx(0.01),
    }


def test_gradients_that_are_no_numbers_do_not_tell_whether_they_are_fresh() -> None:
    found = rows(3)
    write_fresh(found, [np.array([1.0, math.nan, math.inf])])
    assert found == [{signals.STALE: 0.0}, {}, {signals.STALE: 0.0}]


def test_answers_of_large_batches_are_compared_at_once_and_give_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def row() -> Row:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(5, 30), nn.ReLU(), nn.Linear(30, 3))
        probe = HookedProbe(model)
        probe.attach()
        x, y = torch.randn(20, 5), torch.arange(20) % 3
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        probe.record(loss.detach(), y)
        return probe.finish_step() or {}

    copied = row()
    monkeypatch.setattr("netwise.observe.hooked_probe.MOST_COPIED", 0)
    assert row() == copied
