"""What every network has: a build, its targets, its problems and its changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch

import netwise as nw
from netwise.data.dataset import Pairs
from netwise.networks import NETWORKS, Network
from netwise.networks.energy import MACHINES
from netwise.networks.network import REGULARISERS


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


EVERY = [
    nw.MLP((64, 8, 8, 10)),
    nw.MLP((64, 8, 8, 10), members=3, periodic=(0, 5)),
    nw.ConvNet(image=(1, 8, 8), channels=(4,)),
    nw.LeNet5(),
    nw.LeNet5Paper(),
    nw.AlexNet(),
    nw.VGG(),
    nw.GoogLeNet(),
    nw.ResNet(plain=True),
    nw.CIFARResNet(),
    nw.ElmanRNN(),
    nw.LSTM(),
    nw.GRU(),
    nw.Autoencoder((64, 16)),
    nw.ConvAutoencoder(),
    nw.VariationalAutoencoder((64, 16, 4)),
    nw.CustomNetwork("torch.nn:Identity"),
    nw.Hopfield(64),
    nw.ModernHopfield(64),
    nw.BoltzmannMachine(64),
    nw.RBM(64, 16),
    nw.DBN((64, 16)),
]


def name_of(network: nw.Network) -> str:
    return type(network).__name__


def test_every_network_is_among_these() -> None:
    assert {type(network) for network in EVERY} == {*NETWORKS.values(), *MACHINES.values()}


CHANGES = (
    "dropout",
    "batch_norm",
    "shortcuts",
    "plain_output",
    "widened",
    "narrowed",
    "hidden_layers",
    "narrower_code",
    "livelier_code",
    "weaker_prior",
)


@pytest.mark.parametrize("network", EVERY, ids=name_of)
@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (lambda n: n.with_dropout(0.5), {"dropout"}),
        (lambda n: n.with_batch_norm(), {"batch_norm", "block"}),
        (lambda n: n.with_shortcuts(), {"residual", "plain"}),
        (lambda n: n.with_plain_output(), {"output"}),
        (lambda n: n.widened(), {"widths", "channels", "units", "width"}),
        (lambda n: n.narrowed(), {"widths", "channels", "units", "width"}),
        (lambda n: n.with_hidden_layers(units=3), {"widths"}),
        (lambda n: n.with_narrower_code(), {"widths", "top"}),
        (lambda n: n.with_livelier_code(), {"activation", "code", "top", "sparsity"}),
        (lambda n: n.with_weaker_prior(), {"beta"}),
    ],
    ids=CHANGES,
)
def test_a_change_gives_a_reason_or_changes_what_it_says_and_nothing_else(
    network: nw.Network, change: Callable[[nw.Network], nw.Network | str], fields: set[str]
) -> None:
    changed = change(network)
    if isinstance(changed, str):
        assert len(changed.split()) > 3
        assert not changed.endswith(".")
        return
    assert type(changed) is type(network)
    different = {
        field.name
        for field in dataclasses.fields(network)  # type: ignore[arg-type]
        if getattr(network, field.name) != getattr(changed, field.name)
    }
    assert different
    assert different <= fields


@pytest.mark.parametrize("network", EVERY, ids=name_of)
def test_without_regularisation_all_dropout_is_0(network: nw.Network) -> None:
    for name in REGULARISERS:
        assert getattr(network.without_regularisation(), name, 0.0) == 0.0


@pytest.mark.parametrize("network", EVERY, ids=name_of)
def test_targets_are_those_of_the_networks_own_task(network: nw.Network) -> None:
    samples = nw.data.digits().load()
    with_targets = network.with_targets(samples)
    if network.own_task is None:
        assert with_targets is samples
        return
    assert with_targets.task == network.own_task
    assert with_targets.classes == ()
    assert torch.equal(with_targets.test.x, samples.test.x)
    if network.own_task == "reconstruction":
        assert torch.equal(with_targets.test.y, samples.test.x.flatten(1))
    else:
        assert with_targets.test.y.shape == (len(samples.test), 0)


def test_wider_is_wider_and_narrower_has_fewer_parameters() -> None:
    def parameters(network: nw.Network) -> int:
        with torch.device("meta"):
            return sum(p.numel() for p in network.build().parameters())

    for network in EVERY:
        wider, narrower = network.widened(), network.narrowed()
        if not isinstance(wider, str):
            assert parameters(wider) > parameters(network)
        if not isinstance(narrower, str):
            assert parameters(narrower) < parameters(network)


def test_problems_of_inputs_of_another_kind() -> None:
    rows = nw.data.wine().load()
    (problem,) = nw.ConvNet().problems(rows, nw.CrossEntropy())
    assert str(problem) == (
        "network = ConvNet  takes images, and a sample has 13 features in a row. "
        "Write MLP((13, 64, 3))."
    )
    symbols = dataclasses.replace(
        rows, train=Pairs(torch.zeros(5, 4, dtype=torch.int64), torch.zeros(5, dtype=torch.int64))
    )
    (problem,) = nw.CustomNetwork("torch.nn:Identity").problems(symbols, nw.CrossEntropy()) or [
        None
    ]
    assert problem is None  # only its code knows
    (problem,) = Network.problems(nw.MLP((4, 3)), symbols, nw.CrossEntropy())
    assert "takes numbers, and the data are symbols of an alphabet of 3. Write LSTM(" in str(
        problem
    )


def test_an_interface_cannot_be_built() -> None:
    with pytest.raises(TypeError, match="MLP"):
        Network().build()
