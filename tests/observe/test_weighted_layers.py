"""Which layers have weights, and what their units are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from netwise.observe.weighted_layers import (
    axis_of_units,
    in_order,
    layers_with_weights,
    main_matrix,
    modules_in,
    own_matrices,
    units_equal,
    weighted_layer,
)


class Table(nn.Module):
    """A layer of one's own: x @ weight."""

    def __init__(self, ins: int, outs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(ins, outs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight


class Bent(nn.Linear):
    """A subclass that is no linear layer."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu()


def names(module: nn.Module) -> list[str]:
    return [name for name, _ in layers_with_weights(module)]


def test_layers_with_weight_matrices_are_found_and_norm_layers_are_not() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Embedding(4, 2))
    assert names(module) == ["0", "2"]
    assert names(nn.Linear(2, 3)) == ["(network)"]
    assert names(nn.MultiheadAttention(4, 2)) == ["(network)", "out_proj"]


def test_a_parametrized_layer_has_its_originals_and_its_class() -> None:
    layer = parametrizations.weight_norm(nn.Linear(4, 3))
    assert names(nn.Sequential(layer)) == ["0"]
    assert [tuple(p.shape) for p in own_matrices(layer)] == [(3, 1), (3, 4)]
    assert main_matrix(own_matrices(layer)).shape == (3, 4)
    assert weighted_layer("0", layer).kind == "Linear"
    assert weighted_layer("0", layer).linear


def test_packed_uninitialised_and_integer_weights_are_left_out() -> None:
    module = nn.Sequential(nn.LazyLinear(3), nn.Linear(2, 2))
    module[1].codes = nn.Parameter(torch.ones(2, 2, dtype=torch.int8), requires_grad=False)
    assert names(module) == ["1"]
    assert len(own_matrices(module[1])) == 1


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_scripted_layers_have_weights() -> None:
    assert names(torch.jit.trace(nn.Sequential(nn.Linear(2, 2)), torch.ones(1, 2))) == ["0"]


@pytest.mark.parametrize(
    ("layer", "linear"),
    [
        (nn.Linear(2, 2), True),
        (nn.Conv2d(2, 2, 1), True),
        (nn.ConvTranspose1d(2, 2, 1), True),
        (nn.EmbeddingBag(2, 2), True),
        (nn.Bilinear(2, 2, 2), True),
        (nn.GRU(2, 2), False),
        (nn.LSTMCell(2, 2), False),
        (nn.MultiheadAttention(2, 1), False),
        (Table(2, 2), False),
        (Bent(2, 2), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_linear_layers_are_those_of_torch(layer: nn.Module, linear: bool) -> None:
    assert weighted_layer("layer", layer).linear is linear


@pytest.mark.parametrize(
    ("layer", "width", "units"),
    [
        (nn.Linear(3, 5), 5, 5),
        (nn.Embedding(7, 5), 5, 5),
        (nn.Conv2d(3, 5, 2), 9, 5),
        (nn.ConvTranspose2d(3, 5, 2), 9, 5),
        (nn.Bilinear(3, 4, 5), 5, 5),
        (Table(3, 5), 5, 5),
        (Table(3, 3), 3, 3),
        (Table(3, 5), 0, 3),  # the outputs were not seen
    ],
    ids=["Linear", "Embedding", "Conv2d", "ConvTranspose2d", "Bilinear", "own", "square", "unseen"],
)
def test_units_are_counted_on_their_axis(layer: nn.Module, width: int, units: int) -> None:
    main = main_matrix(own_matrices(layer))
    assert main.shape[axis_of_units(layer, main, width)] == units


def test_units_are_equal_on_the_axis_that_is_asked() -> None:
    rows = torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]])
    assert units_equal([rows])
    assert not units_equal([rows], axis=1)
    assert units_equal([rows.T], axis=1)
    middle = torch.tensor([[1.0], [3.0], [1.0]])  # the first and the last are equal
    assert not units_equal([middle])
    assert not units_equal([rows, middle])
    assert not units_equal([torch.zeros(2, 2, device="meta")])


def test_unused_layers_are_never_last() -> None:
    assert in_order(["a", "b", "c"], ["c", "a", "c"]) == ["c", "b", "a"]
    assert in_order(["spare", "a", "b"], ["a", "b"]) == ["spare", "a", "b"]
    assert in_order(["a", "b"], []) == ["a", "b"]
    assert in_order(["a"], ["a", "gone"]) == ["a"]


def test_all_modules_are_found_once_also_in_a_circle() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU()))
    module[1].append(module[0])
    assert {id(each) for each in modules_in(module)} == {id(each) for each in module.modules()}
    circle = nn.Module()
    circle.itself = circle
    assert modules_in(circle) == [circle]
