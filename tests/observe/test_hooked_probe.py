"""The probe's numbers against torch, and the module that it leaves as it was."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from netwise import signals
from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.layer_activations import DEAD_AFTER


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))


X, Y = torch.randn(20, 4, generator=generator()), torch.arange(20) % 3


def watched_row(module: nn.Module, lr: float = 0.1) -> dict[str, float]:
    """One watched step of SGD."""
    probe, optimizer = HookedProbe(module), torch.optim.SGD(module.parameters(), lr=lr)
    probe.attach()
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(module(X), Y)
    loss.backward()
    probe.record(loss.detach(), Y)
    optimizer.step()
    row = probe.finish_step()
    assert row is not None
    assert probe.finish_step() is None  # each row once
    return row


def test_gradients_and_updates_equal_those_of_torch() -> None:
    module, lr = model(), 0.1
    row = watched_row(module, lr)
    again = model()
    nn.functional.cross_entropy(again(X), Y).backward()
    for name in ("0", "2"):
        weight = again.get_submodule(name).weight
        norm, gradient = float(weight.detach().norm()), float(weight.grad.norm())
        assert row[f"{signals.WEIGHT_NORM}|{name}"] == pytest.approx(norm)
        rms = gradient / math.sqrt(weight.numel())
        assert row[f"{signals.GRADIENT_RMS}|{name}"] == pytest.approx(rms)
        assert row[f"{signals.GRADIENT_RATIO}|{name}"] == pytest.approx(gradient / norm)
        ratio = lr * gradient / norm
        assert row[f"{signals.UPDATE_RATIO}|{name}"] == pytest.approx(ratio, rel=1e-4)


def test_inputs_are_those_of_the_module_that_begins_first() -> None:
    """A module with weights of its own ends after the layers inside of it."""

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(100 * torch.randn(4, 6, generator=generator()))
            self.last = nn.Linear(6, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(x @ self.weight)

    row = watched_row(Own())
    assert row[signals.INPUT_STD] == pytest.approx(float(X.std(correction=0)), rel=1e-3)


def test_activations_are_those_after_the_activation_function() -> None:
    row = watched_row(model())
    hidden = model()[:2](X).detach()
    assert row[f"{signals.ACTIVATION_MEAN}|0"] == pytest.approx(float(hidden.mean()), abs=1e-6)
    std = float(hidden.std(correction=0))
    assert row[f"{signals.ACTIVATION_STD}|0"] == pytest.approx(std, rel=1e-5)
    saturated = float((hidden.abs() > 0.95).float().mean())  # within 2.5 % of the range of a limit
    assert row[f"{signals.ACTIVATION_SATURATED}|0"] == pytest.approx(saturated)
    assert row[signals.INPUT_MEAN] == pytest.approx(float(X.mean()), abs=1e-6)


def test_no_hook_is_left_after_a_step() -> None:
    module = model()
    watched_row(module)
    for layer in module.modules():
        assert not layer._forward_hooks
        assert not layer._forward_pre_hooks
    assert not any(p._backward_hooks for p in module.parameters())


def test_a_passing_evaluation_is_not_recorded() -> None:
    module = model()
    probe = HookedProbe(module)
    probe.attach()
    loss = nn.functional.cross_entropy(module(X), Y)
    with torch.no_grad():
        module(1000 * X)
    loss.backward()
    probe.record(loss.detach(), Y)
    row = probe.finish_step()
    assert row is not None
    assert row[signals.INPUT_STD] == pytest.approx(float(X.std(correction=0)), rel=1e-5)


def test_dead_units_are_counted_over_enough_samples() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        module[0].weight.zero_()
        module[0].bias.copy_(torch.tensor([1.0, -1.0, -1.0]))  # one unit of three is above 0
    probe, shares = HookedProbe(module), []
    x = torch.randn(DEAD_AFTER // 2, 4, generator=generator())
    for _ in range(4):
        probe.attach()
        loss = module(x).sum()
        loss.backward()
        probe.record(loss.detach())
        row = probe.finish_step()
        assert row is not None
        shares.append(row.get(f"{signals.DEAD_UNITS}|0"))
    assert shares == [None, pytest.approx(2 / 3), None, pytest.approx(2 / 3)]


def test_a_probe_continues_from_its_state() -> None:
    module = model()
    probe = HookedProbe(module)
    probe.attach()
    loss = nn.functional.cross_entropy(module(X), Y)
    loss.backward()
    probe.record(loss.detach())
    other = HookedProbe(module)
    other.load_state_dict(probe.state_dict(), probe.tensors())
    assert other.layers == probe.layers
    assert other.state_dict() == probe.state_dict()
    snapshot = probe.snapshot()
    probe.layers = ()
    probe.restore(snapshot)
    assert probe.layers == other.layers


def test_a_recurrent_layer_has_no_identity_for_its_activation() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent, self.head = nn.GRU(4, 6), nn.Linear(6, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.recurrent(x)[0])

    module = Recurrent()
    probe = HookedProbe(module)
    probe.attach()
    loss = nn.functional.cross_entropy(module(X), Y)
    loss.backward()
    probe.record(loss.detach(), Y)
    assert [layer.activation for layer in probe.layers] == ["", "Identity"]
