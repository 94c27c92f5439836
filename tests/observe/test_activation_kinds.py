"""The activation between a layer and a later tensor, found in the graph or in numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.activation_kinds import (
    MOST_COMPARED,
    Way,
    is_rectified,
    kind_by_numbers,
    some_rows,
    ways_to_outputs,
)


def outputs(number: int = 1) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(5, 6)
    return [layer(torch.randn(8, 5, generator=generator)) for _ in range(number)]


def ways(tensor: Tensor, *found: Tensor) -> dict[int, Way]:
    nodes = {output.grad_fn: i for i, output in enumerate(found)}
    return ways_to_outputs(tensor.grad_fn, nodes, dict[Tensor, int]().get)


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": torch.relu,
    "LeakyReLU": F.leaky_relu,
    "ELU": F.elu,
    "GELU": F.gelu,
    "SiLU": F.silu,
    "Mish": F.mish,
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "Hardtanh": F.hardtanh,
    "Hardsigmoid": F.hardsigmoid,
    "Hardswish": F.hardswish,
    "Softplus": F.softplus,
    "LogSigmoid": F.logsigmoid,
    "Identity": torch.clone,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_graph_shows_the_activation(name: str) -> None:
    (z,) = outputs()
    a = FUNCTIONS[name](z).reshape(4, 2, 6).transpose(0, 1)
    assert ways(a, z)[0].kind == name


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda z: F.batch_norm(z, None, None, training=True).relu(), "ReLU"),
        (lambda z: F.max_pool1d(z.relu()[None], 2), "ReLU"),
        (lambda z: F.dropout(z.tanh(), 0.5), "Tanh"),
        (lambda z: F.dropout(z, 0.5), ""),  # not Identity: the numbers are others
        (lambda z: z * torch.sigmoid(z), ""),
        (lambda z: z.relu().tanh(), ""),
        (lambda z: z.square(), ""),
        (lambda z: 2 * z, ""),
        (lambda z: torch.softmax(z @ z.T, -1) @ z, ""),
    ],
    ids=["norm", "pooling", "dropout", "linear", "swish", "two", "square", "scaled", "attention"],
)
def test_operations_between(function: Callable[[Tensor], Tensor], kind: str) -> None:
    (z,) = outputs()
    assert ways(function(z), z)[0].kind == kind


def test_each_layer_has_its_own_way() -> None:
    a, b, unused = outputs(3)
    found = ways(a.relu() + b, a, b, unused)
    assert {i: way.kind for i, way in found.items()} == {0: "ReLU", 1: ""}


def test_the_search_ends_at_the_outputs_of_layers() -> None:
    (first,) = outputs()
    second = nn.Linear(6, 2)(first.tanh())
    assert set(ways(second.relu(), first, second)) == {1}


def test_a_layer_is_found_by_its_weight_where_its_output_was_changed_in_place() -> None:
    layer = nn.Linear(5, 6)
    z = layer(torch.randn(8, 5))
    part = z[:, :3]
    node = part.grad_fn
    part.relu_()  # makes new nodes for the view and for its base

    def owner(weight: Tensor) -> int | None:
        return 7 if weight is layer.weight else None

    found = ways_to_outputs(part.grad_fn, {node: 0}, owner)
    assert set(found) == {7}
    assert found[7].kind == ""


def test_a_graph_that_is_too_large_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    (z,) = outputs()
    a = z
    for _ in range(2000):
        a = a + 1
    assert ways(a, z) == {}


@pytest.mark.parametrize("name", ["Identity", "ReLU", "Sigmoid", "Tanh", "ELU", "GELU", "SiLU"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_numbers_show_the_activation(name: str, dtype: torch.dtype) -> None:
    z = torch.randn(8, 2, 3, generator=torch.Generator().manual_seed(0)).to(dtype)
    a = FUNCTIONS[name](z)
    assert kind_by_numbers(some_rows(z), tuple(z.shape), a.flatten(1), last=False) == name


def test_small_numbers_of_a_tanh_are_not_taken_for_the_identity() -> None:
    z = 1e-3 * torch.randn(8, 30, generator=torch.Generator().manual_seed(0))
    assert kind_by_numbers(z, (8, 30), z.tanh(), last=False) == "Tanh"


def test_a_softmax_is_the_last_function_only() -> None:
    z = torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(0))
    a = z.softmax(-1)
    assert kind_by_numbers(z, (4, 5, 6), a, last=True) == "Softmax"
    assert kind_by_numbers(z, (4, 5, 6), a, last=False) == ""


def test_other_shapes_and_empty_tensors_show_nothing() -> None:
    z = torch.ones(4, 5)
    assert kind_by_numbers(z, (4, 5), torch.ones(4, 4), last=False) == ""
    assert kind_by_numbers(z[:0], (0, 5), z[:0], last=False) == ""
    assert not is_rectified(z[:0], z[:0])


def test_only_some_rows_are_copied() -> None:
    large = torch.zeros(100, MOST_COMPARED // 4)
    rows = some_rows(large)
    assert rows.shape == (4, MOST_COMPARED // 4)
    assert rows.data_ptr() != large.data_ptr()
    assert some_rows(torch.zeros(3, 2 * MOST_COMPARED)).shape[0] == 1


def test_a_rectifier_leaves_zeros_and_nothing_below() -> None:
    z = torch.randn(20, 8, generator=torch.Generator().manual_seed(0))
    assert is_rectified(z, F.max_pool1d(z.relu()[None], 2))
    assert not is_rectified(z, z)
    assert not is_rectified(z, z.abs())
    assert not is_rectified(z.abs(), z.relu())  # nothing was below 0 before
