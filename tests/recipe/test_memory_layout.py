"""The layout of images follows from the processor, the network, its work and its optimizer."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.recipe.memory_layout import LAST_FROM, inputs_channels_last, weights_channels_last

LENET = nw.Recipe(
    data=nw.data.digits(), preprocess=(nw.Resize(28, 28),), network=nw.LeNet5(), batch_size=16
)
WORK = nw.describe(LENET.network, (1, 28, 28)).multiply_adds


@pytest.fixture(params=["AVX2", "AVX512"])
def measured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: request.param)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)


@pytest.mark.usefixtures("measured")
def test_kernels_need_a_measured_network_enough_work_and_an_optimizer_of_any_layout() -> None:
    assert weights_channels_last(LENET)
    assert weights_channels_last(LENET.but(batch_size=-(-LAST_FROM // WORK)))
    assert not weights_channels_last(LENET.but(batch_size=LAST_FROM // WORK))
    assert not weights_channels_last(LENET, "cuda")
    assert not weights_channels_last(LENET.but(optimizer=nw.LBFGS()))
    assert not weights_channels_last(LENET.but(network=nw.CustomNetwork(nw.LeNet5().build)))
    assert inputs_channels_last("cpu")


def test_other_processors_have_the_layout_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    assert not weights_channels_last(LENET)
    assert not inputs_channels_last("cpu")
    assert inputs_channels_last("cuda")


def test_a_script_lays_kernels_out_as_fit_does() -> None:
    line = "network.to(memory_format=torch.channels_last)"
    assert (line in nw.to_script(LENET)) == weights_channels_last(LENET)
    assert line not in nw.to_script(LENET.but(batch_size=1))
