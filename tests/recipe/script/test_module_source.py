"""Expressions of modules make the modules again, without netwise."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.recipe.script.module_source import module_text, source_of

NETWORKS = [
    nw.MLP((6, 5, 3), activation=nw.Maxout(2), dropout=0.2, batch_norm=True),
    nw.MLP((6, 5, 5, 3), residual=True, drop_connect=0.3, activation=nw.PReLU()),
    nw.MLP((6, 5, 5, 3), residual=True, members=4, periodic=(0, 3)),
    nw.LeNet5(),
    nw.LeNet5Paper(),
    nw.ConvNet(image=(1, 8, 8), channels=(4,)),
    nw.CIFARResNet(image=(1, 8, 8), depth=8),
    nw.GoogLeNet(image=(1, 16, 16), width=0.1, classes=3),
    nw.AlexNet(image=(1, 16, 16), width=0.1, classes=3),
    nw.LSTM(features=4, units=3),
]


def made(network: nw.Network) -> nn.Module:
    expression, sources = module_text(network)
    space: dict[str, Any] = {
        "torch": torch,
        "nn": nn,
        "F": F,
        "Tensor": Tensor,
        "math": math,
        "OrderedDict": OrderedDict,
        "Sequence": Sequence,
    }
    for source in sources:
        assert "netwise" not in source
        exec("from __future__ import annotations\n" + source, space)
    module = eval(expression, space)
    assert isinstance(module, nn.Module)
    return module


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.kind)
def test_the_module_has_the_same_tensors(network: nw.Network) -> None:
    torch.manual_seed(3)
    built = network.build()
    torch.manual_seed(3)
    scripted = made(network)
    state = built.state_dict()
    assert list(scripted.state_dict()) == list(state)
    for name, value in scripted.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_writing_draws_nothing_from_the_global_generator() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    module_text(NETWORKS[0])
    assert torch.equal(torch.rand(3), expected)


def test_sources_have_no_examples() -> None:
    assert ">>>" not in source_of(nw.MLP)
    assert "class MLP" in source_of(nw.MLP)
    assert ">>>" in str(nw.MLP.__doc__)


class Mine(torch.nn.Module):
    """A user-defined module."""


def test_user_defined_modules_are_refused() -> None:
    with pytest.raises(nw.WrongValue, match="network = Mine  is user-defined code: paste it into"):
        module_text(nw.CustomNetwork(Mine))
