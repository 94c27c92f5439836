"""The size of a module before it is built equals that of the built one."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.networks import NETWORKS
from netwise.networks.energy import MACHINES
from netwise.networks.module_memory import size_of

SMALL = {
    "MLP": nw.MLP((8, 4, 4, 2), batch_norm=True, drop_connect=0.2, residual=True),
    "AlexNet": nw.AlexNet(image=(3, 64, 64), classes=10, width=0.1),
    "VGG": nw.VGG(image=(3, 32, 32), classes=10, width=0.1),
    "Hopfield": nw.Hopfield(30),
}


@pytest.mark.parametrize(
    "kind",
    [k for k in (*NETWORKS.values(), *MACHINES.values()) if k is not nw.CustomNetwork],
    ids=lambda k: k.__name__,
)
def test_the_size_is_that_of_the_built_module(kind: type[nw.Network]) -> None:
    network = SMALL.get(kind.__name__) or kind()
    before = torch.get_rng_state()
    size = size_of(network)
    assert torch.equal(torch.get_rng_state(), before)
    module = network.build()
    tensors = [*module.named_parameters(), *module.named_buffers()]
    assert all(tensor.device.type == "cpu" for _, tensor in tensors)
    assert size.total == sum(t.numel() * t.element_size() for _, t in tensors)
    largest = max((t.numel() for _, t in tensors), default=0)
    name = size.largest.split(" of ")[0]
    assert dict(tensors)[name].numel() == largest


WITHOUT_COMPILER = """
import sys
import netwise as nw
from netwise.networks.module_memory import size_of
for network in (
    nw.MLP((8, 4, 2), members=4, periodic=(0, 1)),
    nw.LSTM(features=4, units=8, outputs=3, symbols=5),
    nw.RBM(6, 3),
):
    size_of(network)
print("torch._dynamo" in sys.modules)
"""


def test_torch_imports_no_compiler_to_know_the_size() -> None:
    command = [sys.executable, "-c", WITHOUT_COMPILER]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "False\n"


def test_the_same_weights_are_drawn_as_without_the_check() -> None:
    network = nw.ConvNet(image=(1, 8, 8), channels=(4, 8))
    weights = []
    for build in (network.build, lambda: type(network).build.__wrapped__(network)):
        torch.manual_seed(3)
        weights.append(build().state_dict())
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name])


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (nw.MLP((64, 10**6, 10**6, 10)), "3.6 TiB"),
        (nw.ConvNet(image=(1, 8, 8), channels=(10**6, 10**6)), "32.7 TiB"),
        (nw.LSTM(features=8, units=10**5, layers=100, outputs=10), "29.0 TiB"),
        (nw.RBM(10**6, 10**6), "TiB"),
        (nw.Autoencoder((10**6, 10**6)), "TiB"),
        (nw.Hopfield(10**5), "37.3 GiB"),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_network_that_needs_more_than_there_is_is_refused_by_whatever_builds_it(
    network: nw.Network, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netwise.memory.available_memory", lambda: 10**10)
    with pytest.raises(nw.WrongValue, match=f"its largest tensor: .*, which need .*{text}"):
        network.build()
    with pytest.raises(nw.WrongValue, match="of memory are free"):
        nw.describe(network, (1, 8, 8))


def test_the_module_of_a_user_is_built_once_and_as_it_is() -> None:
    calls = []

    class Mine(nw.Network):
        def build(self) -> nn.Module:
            calls.append(torch.get_default_device().type)
            return nn.Linear(2, 2)

    Mine().build()
    assert calls == ["cpu"]
