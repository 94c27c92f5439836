"""L08: signals against closed forms, and criteria that can fail."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.labs.lab_definition import LabResult
from netwise.labs.starts.signals_by_layer import (
    StartSettings,
    ball,
    layer_signals,
    median_signals,
    new_network,
    signal_criteria,
    signal_numbers,
    starts,
)

SETTINGS = StartSettings(depth=3, width=40, seeds=1)


def test_half_of_the_points_lie_in_the_ball() -> None:
    x, y = ball(0)
    assert x.shape == (1000, 10)
    assert float(y.mean()) == 0.5
    assert x.mean(0).abs().max() < 1e-9
    inside = x[y[:, 0] == 0].norm(dim=1).max()
    assert inside <= x[y[:, 0] == 1].norm(dim=1).min()


def test_gradients_and_spreads_are_those_of_torch() -> None:
    module = new_network(nw.Tanh(), nw.Glorot(), SETTINGS, seed=3)
    x, y = ball(1)
    seen: dict[nn.Module, torch.Tensor] = {}
    for layer in module.children():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(lambda layer, _, z: seen.update({layer: z}))
    nn.functional.binary_cross_entropy_with_logits(module(x), y).backward()
    signals = layer_signals(module, nw.Tanh(), x, y)
    z = list(seen.values())[:-1]
    assert signals.z.tolist() == pytest.approx([float(each.detach().std()) for each in z])
    assert signals.a.tolist() == pytest.approx([float(each.tanh().detach().std()) for each in z])
    saturated = [float((each.tanh().abs() > 0.95).double().mean()) for each in z]
    assert signals.saturated.tolist() == pytest.approx(saturated)
    # dC/db of a layer is the sum of dC/dz over the samples
    assert signals.gradient[-1] > 0


def test_he_keeps_the_mean_square_of_relu_layers() -> None:
    signals = median_signals("ReLU, He", StartSettings(depth=3, width=1000, seeds=1))
    # z of layer 1 has the variance 2 of inputs with variance 1
    assert signals.z.tolist() == pytest.approx([2**0.5] * 3, rel=0.1)


def numbers() -> dict[str, float]:
    measured: dict[str, float] = {}
    for name in starts(SETTINGS.width):
        measured |= signal_numbers(name, median_signals(name, SETTINGS))
    return measured


def test_l08_can_be_confirmed_and_refuted() -> None:
    measured = numbers()
    assert set(measured) == set(nw.lab("L08").run(seeds=1, width=20).numbers)
    good = measured | {"sigmoid, std 0.01: gradient, last layer / first": 1e6}
    good |= {"sigmoid, std 1: saturated": 0.6, "tanh, std 1: saturated": 0.8}
    good |= {"tanh, std 1: gradient, last layer / first": 0.02}
    good |= {"ReLU, He: spread of z, largest / smallest": 1.05}
    good |= {"tanh, std 0.1: gradient, largest / smallest": 3.0}
    assert LabResult({}, signal_criteria(good), "").verdict == "confirmed"
    wrong = dict.fromkeys(measured, 0.5) | {
        "tanh, Glorot: gradient, largest / smallest": 9.0,
        "ReLU, He: spread of z, largest / smallest": 2.0,
    }
    wrong |= {"sigmoid, std 1: saturated": 0.4}
    assert LabResult({}, signal_criteria(wrong), "").verdict == "refuted"
