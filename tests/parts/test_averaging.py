"""Averages of weights against their closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import netwise as nw


def average(rule: nw.Averaging, weights: list[float]) -> float:
    """The average after these weights, one update each."""
    value, count = 0.0, 0
    for i, weight in enumerate(weights):
        share = rule.share(count, (i + 1) / len(weights))
        if share is not None:
            value += share * (weight - value)
            count += 1
    return value


def test_stochastic_weight_averaging_is_the_mean_of_the_last_weights() -> None:
    weights = np.random.default_rng(0).normal(size=20).tolist()
    assert average(nw.SWA(start=0.75), weights) == pytest.approx(np.mean(weights[15:]))
    assert average(nw.SWA(start=0.0), weights) == pytest.approx(np.mean(weights))


def test_the_moving_average_is_torchs() -> None:
    weights = np.random.default_rng(1).normal(size=300)
    model = nn.Linear(1, 1, bias=False)
    ours, decay = 0.0, 0.9
    averaged = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
    )
    rule = nw.EMA(decay=decay)
    for i, weight in enumerate(weights):
        with torch.no_grad():
            model.weight.fill_(weight)
        if i == 100:  # from here on our decay has its full value: (1 + 100) / (10 + 100) > 0.9
            with torch.no_grad():
                averaged.module.weight.fill_(ours)
                averaged.n_averaged += 1
        if i >= 100:
            averaged.update_parameters(model)
        share = rule.share(i, 0.0)
        assert share is not None
        ours += share * (weight - ours)
    assert ours == pytest.approx(averaged.module.weight.item(), abs=1e-6)


def test_the_first_weights_are_soon_forgotten() -> None:
    shares = [nw.EMA(decay=0.999).share(count, 0.0) for count in (0, 10, 100, 10**6)]
    assert shares == pytest.approx([0.9, 9 / 20, 9 / 110, 0.001])
