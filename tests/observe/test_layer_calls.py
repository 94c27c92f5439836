"""Which tensor shows a layer's activations, in networks whose layers are no sequence."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.layer_activations import ActivationStatistics
from netwise.observe.layer_calls import (
    ARGUMENT,
    OUTPUT,
    OWN,
    PassFollower,
    PassReader,
    Plan,
    PlannedCall,
)
from netwise.observe.weighted_layers import layers_with_weights, weighted_layer
from netwise.signals import ACTIVATION_MEAN, ACTIVATION_STD

X = torch.randn(16, 6, generator=torch.Generator().manual_seed(1))


def watched(
    module: nn.Module, reader: PassReader | PassFollower, *args: Any, **kwargs: Any
) -> tuple[Plan, Any]:
    """One forward pass, with hooks on the module itself."""
    layers = {layer: weighted_layer(name, layer) for name, layer in layers_with_weights(module)}
    others = [each for each in module.modules() if each not in layers]

    def layer_called(layer: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        name, linear = layers[layer].name, layers[layer].linear
        reader.layer_called(name, linear, layer, (args, kwargs), output)

    handles = [each.register_forward_hook(layer_called, with_kwargs=True) for each in layers]
    handles += [each.register_forward_hook(reader.other_called) for each in others]
    output = module(*args, **kwargs)
    plan = reader.end(output)
    for handle in handles:
        handle.remove()
    return plan, output


def read(module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Plan, dict[str, float]]:
    statistics = ActivationStatistics({})
    owners = {id(p): n for n, layer in layers_with_weights(module) for p in layer.parameters()}
    plan, _ = watched(module, PassReader(statistics, owners), *args, **kwargs)
    row: dict[str, float] = {}
    statistics.write(row)
    return plan, row


def follow(plan: Plan, module: nn.Module, *args: Any) -> tuple[PassFollower, dict[str, float]]:
    statistics = ActivationStatistics({})
    follower = PassFollower(plan, statistics)
    watched(module, follower, *args)
    row: dict[str, float] = {}
    statistics.write(row)
    return follower, row


class Branches(nn.Module):
    """Layers a, b, c and d, of 6 inputs and 6 units each."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.c, self.d = (nn.Linear(6, 6) for _ in range(4))


class Lora(Branches):
    def forward(self, x: Tensor) -> Tensor:
        return self.d(torch.relu(self.a(x) + self.c(self.b(x))))


class Heads(Branches):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        h = torch.tanh(self.a(x))
        return {"mean": self.b(h), "scale": F.softplus(self.c(h)), "class": self.d(h)}


class Residual(Branches):
    def forward(self, x: Tensor) -> Tensor:
        h = self.a(x)
        return self.d(h + self.c(F.gelu(self.b(h))))


class Gated(Branches):
    def forward(self, x: Tensor) -> Tensor:
        return self.d(self.c(F.silu(self.a(x)) * self.b(x)))


class Attention(Branches):
    def forward(self, x: Tensor) -> Tensor:
        weights = torch.softmax(self.a(x) @ self.b(x).T, -1)
        return self.d(weights @ self.c(x))


class Loop(Branches):
    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros_like(x)
        for _ in range(3):
            h = torch.tanh(self.a(x) + self.b(h))
        return self.d(self.c(h))


class WithLoss(Branches):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.d(self.c(self.b(self.a(x).relu()).relu()).relu())
        return logits.square().mean(), logits


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Lora, {"a": "ReLU", "b": "Identity", "c": "ReLU", "d": "Identity"}),
        (Heads, {"a": "Tanh", "b": "Identity", "c": "Softplus", "d": "Identity"}),
        (Residual, {"a": "Identity", "b": "GELU", "c": "", "d": "Identity"}),
        (Gated, {"a": "", "b": "", "c": "Identity", "d": "Identity"}),
        (Attention, {"a": "", "b": "", "c": "", "d": "Identity"}),
        (Loop, {"a": "Tanh", "b": "Tanh", "c": "Identity", "d": "Identity"}),
        (WithLoss, {"a": "ReLU", "b": "ReLU", "c": "ReLU", "d": "Identity"}),
    ],
    ids=["Lora", "Heads", "Residual", "Gated", "Attention", "Loop", "WithLoss"],
)
def test_activations_of_layers_that_are_no_sequence(
    kind: type[Branches], expected: dict[str, str]
) -> None:
    plan, _ = read(kind(), X)
    assert plan.activations == expected


def test_frozen_layers_have_the_same_activations() -> None:
    layers = [nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Sigmoid(), nn.Linear(6, 6), nn.ReLU()]
    module = nn.Sequential(*layers, nn.Linear(6, 3))
    module[:5].requires_grad_(False)
    assert read(module, X)[0].activations == {"0": "Sigmoid", "3": "ReLU", "5": "Identity"}


def test_layers_in_front_of_a_normalisation_are_known() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)
            self.norm, self.other = nn.LayerNorm(6), nn.BatchNorm1d(6)

        def forward(self, x: Tensor) -> Tensor:
            x = torch.relu(self.norm(self.a(x)))
            h = self.b(x)
            return self.c(h + self.other(torch.relu(h)))

    assert read(Net(), X)[0].normalised == {"a"}  # the outputs of b come by it, too


def test_frozen_functions_are_found_by_numbers() -> None:
    module = WithLoss()
    module.requires_grad_(False)
    module.d.requires_grad_(True)
    plan, _ = read(module, X)
    assert plan.activations == {"a": "ReLU", "b": "ReLU", "c": "ReLU", "d": "Identity"}


@pytest.mark.parametrize(
    "layer",
    [
        nn.GRU(6, 6, batch_first=True),
        nn.LSTM(6, 6, batch_first=True),
        nn.RNN(6, 6, batch_first=True),
    ],
    ids=["GRU", "LSTM", "RNN"],
)
def test_a_recurrent_layer_is_no_linear_map(layer: nn.Module) -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent, self.head = layer, nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.recurrent(x)[0])

    module = Recurrent()
    plan, row = read(module, X[None])
    assert plan.activations == {"recurrent": "", "head": "Identity"}
    expected = float(layer(X[None])[0].detach().mean())
    assert row[f"{ACTIVATION_MEAN}|recurrent"] == pytest.approx(expected, rel=1e-4)


def test_an_encoder_layer_is_no_linear_map() -> None:
    module = nn.Sequential(nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), nn.Linear(6, 2))
    kinds = read(module, X[None])[0].activations
    assert kinds == {"0.self_attn": "", "0.linear1": "ReLU", "0.linear2": "", "1": "Identity"}


def test_in_place_activations_of_views_are_found() -> None:
    layers = [nn.Linear(6, 6), nn.ReLU(inplace=True), nn.Linear(6, 6), nn.ELU(inplace=True)]
    module = nn.Sequential(*layers, nn.Linear(6, 2))
    x = X.reshape(4, 4, 6)
    assert read(module, x)[0].activations == {"0": "ReLU", "2": "ELU", "4": "Identity"}


def test_the_plan_says_where_each_activation_is() -> None:
    plan, _ = read(Residual(), X)
    assert plan.calls == (
        PlannedCall("a", "Identity", ARGUMENT, 1, 0, 6),
        PlannedCall("b", "GELU", ARGUMENT, 2, 0, 6),
        PlannedCall("c", "", OWN, width=6),
        PlannedCall("d", "Identity", OUTPUT, -1, 0, 6),
    )
    assert [call.where for call in read(WithLoss(), X)[0].calls][-1] == OUTPUT
    assert read(WithLoss(), X)[0].calls[-1].number == 1  # after the loss


@pytest.mark.parametrize(
    "kind",
    [Lora, Heads, Residual, Gated, Attention, Loop, WithLoss],
    ids=["Lora", "Heads", "Residual", "Gated", "Attention", "Loop", "WithLoss"],
)
def test_later_passes_measure_the_same(kind: type[Branches]) -> None:
    module = kind()
    plan, first = read(module, X)
    follower, second = follow(plan, module, X)
    assert not follower.deviates
    assert second == first
    assert {key.partition("|")[2] for key in first} == {"a", "b", "c", "d"}


def test_a_layer_without_a_known_activation_shows_its_own_outputs() -> None:
    module = Residual()
    std = float(module.c(F.gelu(module.b(module.a(X)))).detach().std(correction=0))
    _, row = read(module, X)
    assert row[f"{ACTIVATION_STD}|c"] == pytest.approx(std, rel=1e-5)


def test_other_calls_than_planned_deviate() -> None:
    module = Loop()
    plan, _ = read(module, X)
    assert follow(plan, Residual(), X)[0].deviates
    shorter = Plan(plan.calls[:-1])
    assert follow(shorter, module, X)[0].deviates
    assert follow(Plan((*plan.calls, PlannedCall("d"))), module, X)[0].deviates


def test_inputs_by_keyword_and_in_dictionaries_are_found() -> None:
    class Keywords(Branches):
        def forward(self, *, batch: dict[str, Tensor]) -> Tensor:
            h = torch.tanh(self.a(input=batch["x"]))
            return self.d(input=h)

    plan, _ = read(Keywords(), batch={"mask": torch.ones(16) > 0, "x": X})
    assert plan.activations == {"a": "Tanh", "d": "Identity"}


def test_layers_inside_of_vmap_are_not_measured() -> None:
    module = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2))
    statistics = ActivationStatistics({})
    reader = PassReader(statistics, {})
    torch.func.vmap(lambda x: watched(module, reader, x[None])[1])(X)
    row: dict[str, float] = {}
    statistics.write(row)
    assert row == {}
    assert not reader.complete


def test_no_tensor_of_the_pass_is_kept_by_the_plan() -> None:
    module = Residual()
    plan, _ = read(module, X)
    follow(plan, module, X)
    references = [weakref.ref(each) for each in (module, *module.parameters())]
    del module
    gc.collect()
    assert [reference() for reference in references] == [None] * len(references)
