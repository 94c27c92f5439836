"""The pieces of L39 and L40 on small data; their criteria can fail."""

from __future__ import annotations

import pytest
import torch

from netwise.labs.lab_definition import LabResult
from netwise.labs.normalization.weight_noise import (
    NETWORKS,
    NOISE,
    DigitSettings,
    noise_criteria,
    noisy_accuracy,
    same_criteria,
    standardised,
    tolerated,
    train,
    treatments,
)
from netwise.labs.stacked_mlp import losses


def test_standardised_inputs_have_one_mean_and_deviation_for_all_pixels() -> None:
    x = torch.rand(50, 6, generator=torch.Generator().manual_seed(0)) * 255 + 128
    torch.testing.assert_close(standardised(x, x), (x - x.mean()) / x.std(unbiased=False))
    own = treatments(x + 7, x)
    torch.testing.assert_close(own["own statistics"], standardised(x, x), atol=1e-4, rtol=0)
    assert torch.equal(own["raw"], x + 7)
    assert own["statistics of training"].mean() > 0.05


def test_training_takes_the_rate_with_the_lowest_loss() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(200, 4, generator=g)
    y = (x[:, 0] > 0).long()
    settings = DigitSettings(epochs=40, seeds=2)
    stack, rate = train(x, y, (4, 8, 10), (1e-6, 0.3, 1e6), settings)
    assert rate == pytest.approx(0.3)
    assert len(stack[0]) == 2
    assert losses(stack, x, y)[1].min() > 0.9
    assert noisy_accuracy(stack, x, y, 0.0) > 0.9 > noisy_accuracy(stack, x, y, 3.0)


def test_the_noise_tolerated_lies_where_five_points_are_lost() -> None:
    accuracies = [0.9] * 10 + [0.8] * 12
    assert tolerated(accuracies, 0.9) == pytest.approx((NOISE[9] * NOISE[10]) ** 0.5)
    assert tolerated([0.5] * 22, 0.9) == NOISE[0]
    assert tolerated([0.9] * 22, 0.9) == NOISE[-1]


def test_the_criteria_of_l39_can_fail() -> None:
    numbers = {
        f"{network}, {name}: noise tolerated": value
        for network in NETWORKS
        for name, value in (("raw", 0.2), ("standardised", 0.1))
    }
    numbers |= {"linear, raw: accuracy": 0.9, "linear, standardised: accuracy": 0.8}
    assert not any(criterion.holds for criterion in noise_criteria(numbers))
    for network in NETWORKS:
        numbers[f"{network}, standardised: noise tolerated"] = 0.7
    assert LabResult({}, noise_criteria(numbers), "").verdict == "confirmed"


def test_the_criteria_of_l40_can_fail() -> None:
    hows = ("raw", "own statistics", "statistics of training")
    parts = ("same digits", "only 1 and 7", "brighter")
    numbers = {
        f"{part}, {how}: accuracy": value
        for part in parts
        for how, value in zip(hows, (0.8, 0.8, 0.8), strict=True)
    }
    numbers["same digits, statistics of training: accuracy"] = 0.9
    assert not any(criterion.holds for criterion in same_criteria(numbers))
    numbers["same digits, raw: accuracy"] = 0.1
    numbers["only 1 and 7, own statistics: accuracy"] = 0.7
    assert LabResult({}, same_criteria(numbers), "").verdict == "confirmed"
