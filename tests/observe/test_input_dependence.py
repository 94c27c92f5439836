"""Where inputs are lost, and through how few numbers they go."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.input_dependence import (
    LostDependence,
    is_constant,
    narrowest,
    stays_constant,
    where_lost,
)
from netwise.observe.sample_axes import SampleAxis

X = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
AXIS = SampleAxis(0, 7, (0,))


def call_of(module: nn.Module) -> Any:
    return lambda args, kwargs: [module(*args)]


def lost(module: nn.Module) -> LostDependence | None:
    return where_lost(module, call_of(module), (X,), {}, AXIS)


class Functional(nn.Module):
    def __init__(self, bias: float) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(5, 4), nn.Linear(4, 3)
        nn.init.constant_(self.first.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(F.relu(self.first(x)))


def test_where_the_inputs_are_lost() -> None:
    assert lost(Functional(-50.0)) == LostDependence("", "rectifier")
    assert lost(nn.Sequential(nn.Linear(5, 1), nn.Softmax(1))) == LostDependence(
        "1", "softmax of one unit"
    )
    assert lost(Functional(0.0)) is None


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag])
def test_a_table_of_zeros_gets_the_inputs_and_loses_them(kind: type[nn.Module]) -> None:
    net = nn.Sequential(kind(9, 4), nn.Flatten(), nn.LazyLinear(2))
    symbols = torch.arange(21).reshape(7, 3) % 9
    net(symbols)
    nn.init.zeros_(net[0].weight)
    found = where_lost(net, call_of(net), (symbols,), {}, AXIS)
    assert found is not None
    assert (found.after, "embedding" in found.kind) == ("0", True)


def test_dead_units_stay_so_and_zero_weights_do_not() -> None:
    dead, zero = Functional(-50.0), Functional(0.0)
    nn.init.zeros_(zero.last.weight)
    for module, stays in ((dead, True), (zero, False)):
        assert is_constant([module(X)], [module(X.flip(0))])
        assert stays_constant(module, call_of(module), (X,), {}, AXIS) is stays


def test_all_zero_weights_stay_constant() -> None:
    module = Functional(0.0)
    for p in module.parameters():
        nn.init.zeros_(p)
    assert stays_constant(module, call_of(module), (X,), {}, AXIS)


def test_the_narrowest_layer() -> None:
    module = nn.Sequential(nn.Linear(5, 6), nn.Linear(6, 2), nn.Linear(2, 4), nn.Linear(4, 6))
    with torch.no_grad():
        found = narrowest(module, call_of(module), (X,), {}, [module(X)], AXIS)
        around = nn.ModuleDict({"skip": nn.Linear(5, 6), "narrow": nn.Linear(5, 2)})
        around["up"] = nn.Linear(2, 6)

        def call(args: tuple[Tensor], kwargs: Any) -> list[Tensor]:
            return [around["skip"](args[0]) + around["up"](around["narrow"](args[0]))]

        beside = narrowest(around, call, (X,), {}, call((X,), {}), AXIS)
    assert found == ("1", 2)
    assert beside is None
