"""Effective rates are those of the formulas, and the criteria of L43 can fail."""

from __future__ import annotations

import pytest
import torch

from netwise.labs.lab_definition import LabResult
from netwise.labs.optimizers import effective_rate
from netwise.labs.optimizers.effective_rate import (
    RULES,
    EffectiveRateSettings,
    criteria,
    exponent,
    rates_on_noise,
)


def test_the_exponent_is_the_slope_in_logarithms() -> None:
    assert exponent([3 * t**-0.5 for t in range(1, 1000)]) == pytest.approx(-0.5)


def test_under_steady_noise_adagrad_has_the_root_of_the_sum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(effective_rate, "QUADRATIC_STEPS", 400)
    rates = rates_on_noise(RULES["AdaGrad"])
    assert rates[-1] == pytest.approx(400**-0.5, rel=0.05)  # gradients of variance 1
    assert rates_on_noise(RULES["RMSProp"])[-1] == pytest.approx(1, rel=0.25)


def test_training_at_several_rates_is_that_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two rates, from the second of two starts."""
    monkeypatch.setattr(effective_rate, "RATES", (0.01, 0.05))
    settings = EffectiveRateSettings(epochs=2, width=4, seeds=2)
    final, _, _ = effective_rate.train(RULES["AdaGrad"], settings)
    stack = effective_rate.new_stack((64, 4, 10), [1])
    samples = effective_rate.data.digits().load()
    x, y = samples.train.x.flatten(1), samples.train.y
    optimizer = torch.optim.Adagrad(stack, lr=0.05, eps=1e-8)
    g = torch.Generator().manual_seed(0)
    for _ in range(2):
        for rows in torch.randperm(len(y), generator=g).split(effective_rate.BATCH):
            optimizer.zero_grad()
            effective_rate.losses(stack, x[rows], y[rows])[0].sum().backward()
            optimizer.step()
    expected = effective_rate.losses(stack, x, y)[0].item()
    assert final[1, 1].item() == pytest.approx(expected, rel=1e-4)


def test_the_criteria_can_fail() -> None:
    numbers = {
        "AdaGrad, noise: exponent of the rate": 0.0,
        "RMSProp, noise: exponent of the rate": -0.5,
        "AdaGrad, digits: rate at the end / after epoch 1": 1.0,
        "RMSProp, digits: rate at the end / after epoch 1": 0.5,
        "digits: log10 of the training loss, AdaGrad - RMSProp, low": -0.1,
    }
    assert not any(criterion.holds for criterion in criteria(numbers))
    right = {
        **numbers,
        "AdaGrad, noise: exponent of the rate": -0.5,
        "RMSProp, noise: exponent of the rate": 0.0,
    }
    assert LabResult({}, criteria(right), "").verdict == "confirmed"
