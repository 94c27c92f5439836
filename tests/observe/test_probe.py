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
    assert watched_step(probe, module, lambda: cross_entropy(module))
    assert probe.step_ends() == {}


def test_watching_changes_no_number_and_no_generator() -> None:
    module = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(), nn.Linear(6, 3))
    again = copy.deepcopy(module)
    probe = Probe(module)
    torch.manual_seed(1)
    for _ in range(3):
        watched_step(probe, module, lambda: cross_entropy(module))
    state = torch.get_rng_state()
    torch.manual_seed(1)
    for _ in range(3):
        optimizer = torch.optim.SGD(again.parameters(), lr=0.1)
        optimizer.zero_grad()
        cross_entropy(again).backward()
        optimizer.step()
    assert torch.equal(state, torch.get_rng_state())
    for name, value in again.state_dict().items():
        assert torch.equal(value, module.state_dict()[name])
    for a, b in zip(module.parameters(), again.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)


def test_equal_units_are_followed_until_they_differ() -> None:
    module = model()
    with torch.no_grad():
        module[0].weight.fill_(0.5)
        module[0].bias.zero_()
        module[2].weight.fill_(0.5)
    probe = Probe(module)
    name = f"{signals.UNITS_EQUAL}|0"
    row = watched_step(probe, module, lambda: module(X).square().sum())
    assert row[name] == 1
    assert f"{signals.UNITS_EQUAL}|2" not in row  # the last layer is not hidden
    assert watched_step(probe, module, lambda: module(X).square().sum())[name] == 1
    module[0].weight.grad = None
    with torch.no_grad():
        module[0].weight[1].add_(1.0)
    assert watched_step(probe, module, lambda: module(X).square().sum())[name] == 0
    assert [layer.equal_units for layer in probe.layers] == [True, True]
    other = model()
    assert name not in watched_step(Probe(other), other, lambda: cross_entropy(other))


def test_lazy_layers_are_known_after_the_first_forward_pass() -> None:
    module = nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(3), nn.LazyLinear(3))
    probe = Probe(module)
    assert probe.layers == ()
    probe.backward_ends()
    for _ in range(3):
        with forwards_to(probe, module):
            loss = cross_entropy(module)
        loss.backward()
        probe.backward_ends()
        probe.step_begins()
        torch.optim.SGD(module.parameters(), lr=0.1).step()
        row = probe.step_ends()
    assert [(layer.name, layer.fan_in) for layer in probe.layers] == [("0", 4), ("2", 6), ("3", 3)]
    assert [layer.activation for layer in probe.layers] == ["ReLU", "Identity", "Identity"]
    assert row[f"{signals.ACTIVATION_STD}|0"] > 0


def test_layers_that_are_replaced_or_frozen_later_are_read_anew() -> None:
    module = model()
    module[0].requires_grad_(False)
    probe = Probe(module)
    watched_step(probe, module, lambda: cross_entropy(module))
    assert [layer.trainable for layer in probe.layers] == [False, True]
    module[0].requires_grad_(True)
    module[2] = nn.Linear(6, 5)
    module[0].weight = nn.Parameter(torch.ones(6, 4))
    row = watched_step(probe, module, lambda: cross_entropy(module))
    assert [layer.trainable for layer in probe.layers] == [True, True]
    assert [layer.fan_out for layer in probe.layers] == [6, 5]
    assert row[f"{signals.WEIGHT_NORM}|0"] == pytest.approx(math.sqrt(24))


def test_layers_of_a_compiled_module_are_known_by_their_weights() -> None:
    module = model()
    probe = Probe(module)
    loss = cross_entropy(module)  # as under torch.compile, no module is seen
    loss.backward()
    probe.backward_ends()
    probe.step_begins()
    torch.optim.SGD(module.parameters(), lr=0.1).step()
    row = probe.step_ends()
    assert [(layer.name, layer.activation) for layer in probe.layers] == [("0", ""), ("2", "")]
    names = {key.partition("|")[0] for key in row}
    assert names == {
        signals.WEIGHT_NORM,
        signals.GRADIENT_RMS,
        signals.GRADIENT_RATIO,
        signals.UPDATE_RATIO,
        signals.WEIGHT_DISTANCE,
        signals.STEP_DESCENT,
        signals.WEIGHT_SMALL,
        signals.GRADIENT_SIGN,
        signals.EFFECTIVE_RATE,
        signals.EFFECTIVE_RATE_LOW,
        signals.EFFECTIVE_RATE_HIGH,
    }
    for layer in ("0", "2"):
        assert row[f"{signals.EFFECTIVE_RATE}|{layer}"] == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize("rows", [0, 1])
def test_batches_of_no_and_of_one_sample(rows: int) -> None:
    module = model()
    row = watched_step(Probe(module), module, lambda: module(X[:rows]).sum())
    assert all(math.isfinite(value) for value in row.values())
    assert (signals.INPUT_MEAN in row) is bool(rows)
    assert f"{signals.OUTPUT_SPREAD}|0" not in row


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_layers_of_other_dtypes_beside_float32(dtype: torch.dtype) -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 6).to(dtype), nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.b(torch.tanh(self.a(x.to(dtype))).float())

    module = Mixed()
    probe = Probe(module)
    row = watched_step(probe, module, lambda: cross_entropy(module))
    assert [layer.activation for layer in probe.layers] == ["Tanh", "Identity"]
    norm = float(module.a.weight.grad.double().norm())
    expected = norm / math.sqrt(24)
    assert row[f"{signals.GRADIENT_RMS}|a"] == pytest.approx(expected, rel=1e-3)
    assert row[f"{signals.UPDATE_RATIO}|a"] > 0


def test_complex_weights() -> None:
    class Complex(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 3, dtype=torch.complex64))

        def forward(self, x: Tensor) -> Tensor:
            return x.to(torch.complex64) @ self.weight

    module = nn.Sequential(Complex())
    row = watched_step(Probe(module), module, lambda: module(X).abs().sum())
    gradient = float(module[0].weight.grad.abs().square().sum().sqrt())
    assert row[f"{signals.GRADIENT_RMS}|0"] == pytest.approx(gradient / math.sqrt(12), rel=1e-4)


def test_layers_on_the_meta_device_are_listed_and_not_measured() -> None:
    module = nn.ModuleDict({"a": nn.Linear(4, 3), "spare": nn.Linear(2, 2, device="meta")})
    probe = Probe(module)
    optimizer = torch.optim.SGD(module["a"].parameters(), lr=0.1)
    with forwards_to(probe, module["a"]):
        loss = nn.functional.cross_entropy(module["a"](X), Y)
    loss.backward()
    probe.backward_ends()
    probe.step_begins()
    optimizer.step()
    row = probe.step_ends()
    assert {layer.name for layer in probe.layers} == {"a", "spare"}
    assert not any(key.endswith("|spare") for key in row)


def test_the_output_is_the_first_that_is_no_loss() -> None:
    class WithLoss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            logits = self.head(x)
            return {"loss": nn.functional.cross_entropy(logits, Y), "logits": logits}

    module = WithLoss()
    probe = Probe(module)
    with forwards_to(probe, module):
        output = module(X)
    assert probe.output is output["logits"]
    del output
    assert probe.output is None  # it is not kept alive


def test_the_last_of_several_backward_passes_counts() -> None:
    module = model()
    probe = Probe(module)
    cross_entropy(module).backward()
    probe.backward_ends()
    first = float(probe.gradient_norms[id(module[0].weight)])
    cross_entropy(module).backward()  # accumulated
    probe.backward_ends()
    assert float(probe.gradient_norms[id(module[0].weight)]) == pytest.approx(2 * first)


def test_a_closure_that_runs_backward_inside_of_the_step() -> None:
    module = model()
    probe, optimizer = Probe(module), torch.optim.LBFGS(module.parameters(), max_iter=3)

    def closure() -> Tensor:
        optimizer.zero_grad()
        with forwards_to(probe, module):
            loss = cross_entropy(module)
        loss.backward()
        probe.backward_ends()
        return loss

    probe.step_begins()
    optimizer.step(closure)
    row = probe.step_ends()
    for name in (signals.UPDATE_RATIO, signals.GRADIENT_RATIO, signals.ACTIVATION_STD):
        assert row[f"{name}|0"] > 0


def test_an_error_in_the_forward_pass_leaves_nothing_behind() -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.broken = nn.Linear(4, 3), True

        def forward(self, x: Tensor) -> Tensor:
            h = self.layer(x)
            if self.broken:
                raise ValueError
            return h

    module = Broken()
    probe = Probe(module)
    with pytest.raises(ValueError), forwards_to(probe, module):
        module(X)
    probe.forget()
    module.broken = False
    assert watched_step(probe, module, lambda: cross_entropy(module))
    assert [layer.activation for layer in probe.layers] == ["Identity"]


def test_passes_of_different_length_are_all_read() -> None:
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.step, self.head, self.length = nn.Linear(4, 4), nn.Linear(4, 3), 1

        def forward(self, x: Tensor) -> Tensor:
            self.length = self.length % 4 + 1
            for _ in range(self.length):
                x = torch.tanh(self.step(x))
            return self.head(x)

    module = Loop()
    probe = Probe(module)
    rows = [watched_step(probe, module, lambda: cross_entropy(module)) for _ in range(12)]
    assert [layer.activation for layer in probe.layers] == ["Tanh", "Identity"]
    assert all(f"{signals.ACTIVATION_STD}|head" in row for row in rows[-4:])


def test_rows_that_are_completed_together_are_those_of_single_steps() -> None:
    def rows(later: bool) -> list[dict[str, float]]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
        probe, x = Probe(model, later), torch.randn(8, 4)
        found = [watched_step(probe, model, lambda: model(x).square().mean()) for _ in range(5)]
        if later:
            assert found == [{}] * 5
        probe.complete()
        return found

    assert rows(later=True) == rows(later=False)
