"""The probe's signals against torch, and the program that it leaves as it was."""

from __future__ import annotations

import copy
import gc
import io
import math
import pickle
import weakref

import pytest
import torch
from torch import Tensor, nn

from netwise import signals
from netwise.observe.probe import Probe
from probe_driver import forwards_to, watched_step

X = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(20) % 3


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))


def cross_entropy(module: nn.Module) -> Tensor:
    return nn.functional.cross_entropy(module(X), Y)


def test_gradients_and_updates_equal_those_of_torch() -> None:
    module, again = model(), model()
    row = watched_step(Probe(module), module, lambda: cross_entropy(module))
    cross_entropy(again).backward()
    for name in ("0", "2"):
        weight = again.get_submodule(name).weight
        norm, gradient = float(weight.detach().norm()), float(weight.grad.norm())
        assert row[f"{signals.WEIGHT_NORM}|{name}"] == pytest.approx(norm)
        rms = gradient / math.sqrt(weight.numel())
        assert row[f"{signals.GRADIENT_RMS}|{name}"] == pytest.approx(rms)
        assert row[f"{signals.GRADIENT_RATIO}|{name}"] == pytest.approx(gradient / norm)
        ratio = 0.1 * gradient / norm
        assert row[f"{signals.UPDATE_RATIO}|{name}"] == pytest.approx(ratio, rel=1e-4)


@pytest.mark.parametrize("steps", [1, 3])
def test_activations_are_those_after_the_activation_function(steps: int) -> None:
    module, probe = model(), None
    probe = Probe(module)
    for _ in range(steps):
        hidden = module[:2](X).detach()
        row = watched_step(probe, module, lambda: cross_entropy(module))
    assert row[f"{signals.ACTIVATION_MEAN}|0"] == pytest.approx(float(hidden.mean()), abs=1e-6)
    std = float(hidden.std(correction=0))
    assert row[f"{signals.ACTIVATION_STD}|0"] == pytest.approx(std, rel=1e-5)
    saturated = float((hidden.abs() > 0.95).float().mean())
    assert row[f"{signals.ACTIVATION_SATURATED}|0"] == pytest.approx(saturated)
    spread = float(hidden.var(0, correction=0).mean().sqrt() / hidden.square().mean().sqrt())
    assert row[f"{signals.OUTPUT_SPREAD}|0"] == pytest.approx(spread, rel=1e-4)
    assert row[signals.INPUT_MEAN] == pytest.approx(float(X.mean()), abs=1e-6)
    assert [layer.activation for layer in probe.layers] == ["Tanh", "Identity"]


def test_the_model_is_pickled_and_copied_in_the_middle_of_a_watched_step() -> None:
    module, probe = model(), None
    plain = pickle.dumps(module)
    probe = Probe(module)

    def save() -> None:
        torch.save(module, io.BytesIO())
        again = copy.deepcopy(module)
        for each in (*module.modules(), *again.modules()):
            assert not each._forward_hooks
            assert not each._forward_pre_hooks
            assert not each._backward_hooks
        assert not any(p._backward_hooks for p in module.parameters())
        module.zero_grad()
        assert len(pickle.dumps(module)) == len(plain)

    assert watched_step(probe, module, lambda: cross_entropy(module), between=save)


def watched_twice(module: nn.Module) -> tuple[Probe, list[weakref.ref[object]]]:
    probe = Probe(module)
    for _ in range(2):
        watched_step(probe, module, lambda: cross_entropy(module))
    return probe, [weakref.ref(each) for each in (*module.modules(), *module.parameters())]


def test_a_model_dies_while_its_probe_lives() -> None:
    probe, references = watched_twice(model())
    gc.collect()
    assert not any(reference() is not None for reference in references)
    assert probe.module is None
    assert [layer.name for layer in probe.layers] == ["0", "2"]
    assert probe.step_ends() == {}


def test_a_step_that_was_not_seen_has_no_row() -> None:
    module = model()
    probe = Probe(module)
    assert probe.step_ends() == {}
    with forwards_to(probe, module), torch.no_grad():
        module(X)
    assert probe.step_ends() == {}
