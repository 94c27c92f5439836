"""Networks: parameter counts in closed form, published sizes, and the contract of all."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw
from netwise.networks.layers.pooling import MaxPool2


@pytest.mark.parametrize("widths", [(4, 3), (64, 30, 10), (784, 256, 256, 10)])
def test_an_mlp_has_the_parameters_of_the_formula(widths: tuple[int, ...]) -> None:
    expected = sum(a * b + b for a, b in pairwise(widths))
    assert sum(p.numel() for p in nw.MLP(widths).build().parameters()) == expected


def test_an_mlp_computes_its_formula() -> None:
    module = nw.MLP((5, 4, 3), activation=nw.Tanh(), output=nw.Sigmoid()).build()
    (w1, b1), (w2, b2) = ((m.weight, m.bias) for m in module if isinstance(m, nn.Linear))
    x = torch.randn(7, 5)
    assert torch.allclose(
        module(x), torch.sigmoid(torch.tanh(x @ w1.T + b1) @ w2.T + b2), atol=1e-6
    )


def test_batch_norm_and_dropout_stand_in_their_places() -> None:
    kinds = [type(m).__name__ for m in nw.MLP((5, 4, 3), batch_norm=True, dropout=0.5).build()]
    assert kinds == ["FlattenIfNeeded", "Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear"]


def test_lenet5_has_its_published_maps_and_size() -> None:
    anatomy = nw.describe(nw.LeNet5(), (1, 28, 28))
    shapes = {row.name: row.shape for row in anatomy.rows}
    assert (
        shapes["conv1"],
        shapes["pool1"],
        shapes["conv2"],
        shapes["pool2"],
        shapes["layer3"],
        shapes["layer5"],
    ) == ((6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (10,))
    assert anatomy.parameters == 156 + 2416 + 48_120 + 10_164 + 850


@pytest.mark.parametrize("image", [(1, 28, 28), (3, 32, 32), (1, 12, 12), (2, 40, 17)])
def test_lenet5_takes_images_of_other_sizes(image: tuple[int, int, int]) -> None:
    assert nw.LeNet5(image, 7).build()(torch.zeros(3, *image)).shape == (3, 7)


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (1, 1, 7, 9), (4, 2, 2, 2)])
def test_max_pooling_by_slices_equals_torchs(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    ours, theirs = MaxPool2()(x), F.max_pool2d(x, 2)
    assert torch.equal(ours, theirs)
    weight = torch.randn_like(ours)
    assert torch.equal(
        *(torch.autograd.grad((y * weight).sum(), x, retain_graph=True)[0] for y in (ours, theirs))
    )


def test_ties_of_zeros_behind_a_relu_pass_no_gradient_either_way() -> None:
    x = (
        torch.randn(3, 2, 6, 6, generator=torch.Generator().manual_seed(1))
        .sub(0.8)
        .requires_grad_()
    )
    one, other = (
        torch.autograd.grad(pool(torch.relu(x)).sum(), x)[0]
        for pool in (MaxPool2(), nn.MaxPool2d(2))
    )
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    "network",
    [nw.MLP((16, 8, 3)), nw.LeNet5((1, 28, 28), 3), nw.CustomNetwork("torch.nn:Flatten")],
    ids=lambda n: type(n).__name__,
)
def test_building_is_by_the_seed_and_each_module_is_fresh(network: nw.Network) -> None:
    built = []
    for _ in range(2):
        torch.manual_seed(5)
        built.append(network.build())
    assert built[0] is not built[1]
    assert all(
        torch.equal(a, b) for a, b in zip(built[0].parameters(), built[1].parameters(), strict=True)
    )


def top_level() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def test_an_own_network_is_kept_by_its_name() -> None:
    own = nw.CustomNetwork(top_level)
    assert own.source == f"{__name__}:top_level"
    assert own == nw.CustomNetwork(f"{__name__}:top_level")
    assert isinstance(own.build(), nn.Sequential)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (lambda: nn.Identity(), "move it to the top of a module"),
        ("no colon", 'must be a function, or "module:name" of one'),
        ("a:b:c", "must be a function"),
        ("os:abort; x", "must be a function"),
        (3, "must be a function"),
    ],
)
def test_a_function_without_a_name_is_refused(source: object, text: str) -> None:
    with pytest.raises(nw.WrongValue, match=text):
        nw.CustomNetwork(source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("no_such_module:Net", "add its folder to PYTHONPATH"),
        ("torch.nn:Nett", "cannot be imported"),
        ("os:sep", "is not a function"),
        ("os:getcwd", "must return a torch.nn.Module, and returned str"),
    ],
)
def test_an_own_network_that_cannot_be_built_is_told(source: str, text: str) -> None:
    with pytest.raises(nw.WrongValue, match=text.replace("?", r"\?")):
        nw.CustomNetwork(source).build()
