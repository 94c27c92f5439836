"""Members of an ensemble: each computes what a network of its own weights computes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.networks.layers.members import MemberLinear, Members


def alone(module: nn.Module, member: int, x: Tensor) -> Tensor:
    """The outputs of one member, as ordinary linear layers with ReLU between them."""
    layers = [layer for layer in module.modules() if isinstance(layer, MemberLinear)]
    for i, layer in enumerate(layers):
        weight = layer.weight * (1 + layer.inputs[member]) * (1 + layer.outputs[member])[:, None]
        x = F.linear(x if i == 0 else x.relu(), weight, layer.biases[member])
    return x


@pytest.mark.parametrize("rows", [1, 3, 4, 11])
def test_a_row_in_training_is_that_of_one_member_and_in_evaluation_the_mean_of_all(
    rows: int,
) -> None:
    torch.manual_seed(rows)
    module = nw.MLP((5, 7, 6, 2), members=4).build()
    x = torch.randn(rows, 5)
    trained = module(x)
    for row in range(rows):
        assert torch.allclose(trained[row], alone(module, row % 4, x[row]), atol=1e-6)
    mean = torch.stack([alone(module, member, x) for member in range(4)]).mean(0)
    assert torch.allclose(module.eval()(x), mean, atol=1e-6)


def test_members_differ_from_the_start_and_weight_decay_makes_them_alike() -> None:
    module = nw.MLP((5, 2), members=3).build()
    x = torch.randn(4, 5)
    first, second = (alone(module, member, x) for member in (0, 1))
    assert not torch.allclose(first, second, atol=1e-2)
    with torch.no_grad():
        for name, p in module.named_parameters():
            if not name.endswith("weight"):
                p.zero_()
    assert torch.equal(alone(module, 0, x), alone(module, 1, x))


def test_images_are_flattened_and_no_row_gives_no_row() -> None:
    module = nw.MLP((12, 4, 3), members=2).build()
    assert module(torch.randn(5, 3, 2, 2)).shape == (5, 3)
    assert module.eval()(torch.empty(0, 12)).shape == (0, 3)


def test_one_member_is_the_plain_network_and_its_file_is_that_of_earlier_versions() -> None:
    recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 8, 10)))
    assert not isinstance(recipe.network.build(), Members)
    assert "members" not in nw.recipe_text(recipe)
    several = recipe.but(network=nw.MLP((64, 8, 10), members=8))
    assert "members = 8" in nw.recipe_text(several)


def test_shared_weights_cannot_be_dropped() -> None:
    with pytest.raises(nw.WrongValue, match=r"drop_connect = 0\.5\s+drops weights that all"):
        nw.MLP((4, 3), members=2, drop_connect=0.5)
