"""Weights as torch initializes them, and others."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.observe.fresh_weights import drawn_by_torch, looks_drawn, looks_fresh


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(64, 64).weight,
        lambda: nn.Conv2d(8, 16, 3).weight,
        lambda: nn.init.xavier_uniform_(torch.empty(40, 30)),
        lambda: nn.init.kaiming_uniform_(torch.empty(300, 500)),
    ],
)
def test_weights_of_torchs_layers_are_fresh(make: object) -> None:
    for seed in range(5):
        torch.manual_seed(seed)
        assert looks_fresh(make())  # type: ignore[operator]


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.randn(64, 64),
        lambda: nn.Embedding(100, 20).weight,
        lambda: torch.zeros(64, 64),
        lambda: torch.full((64, 64), 0.1),
        lambda: torch.randn(64, 64).sign(),
        lambda: nn.Linear(64, 64).weight + 0.03 * torch.randn(64, 64),  # moved by 40 % of its norm
        lambda: torch.rand(4, 4),  # too few
        lambda: torch.rand(64, 64),  # not around 0
    ],
)
def test_others_are_not(make: object) -> None:
    for seed in range(5):
        torch.manual_seed(seed)
        assert not looks_fresh(make())  # type: ignore[operator]


def test_a_watched_program_states_which_frozen_weights_are_fresh() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 32), nn.Linear(32, 2))
    model[0].requires_grad_(False)
    nn.init.normal_(model[2].requires_grad_(False).weight)  # type: ignore[arg-type]
    optimizer = torch.optim.SGD(model[3].parameters(), lr=0.1)
    with nw.watch() as w:
        for _ in range(6):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.ones(4, 20)), torch.arange(4) % 2).backward()
            optimizer.step()
    wiring = w.history().wiring
    assert wiring is not None
    assert wiring.frozen_at_start == ("0.weight",)


def test_layers_as_torch_draws_them() -> None:
    """By their limits, which needs fewer numbers than the form of the distribution."""
    for seed in range(20):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 4))
        assert drawn_by_torch(net)
        assert drawn_by_torch(nn.Conv2d(3, 8, 3))
        nn.init.kaiming_normal_(net[0].weight)
        assert not drawn_by_torch(net)
    assert not drawn_by_torch(nn.ReLU())
    assert not drawn_by_torch(nn.Linear(3, 4))  # too few numbers
    assert not drawn_by_torch(nn.Embedding(20, 10))


def test_a_parametrised_weight_is_not_computed() -> None:
    layer = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(16, 16))
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    assert not drawn_by_torch(layer)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_tables_of_noise_and_of_vectors() -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(300, 16, generator=generator)
    few = torch.randn(300, 3, generator=generator) @ torch.randn(3, 16, generator=generator)
    assert looks_drawn(0.02 * noise)
    assert looks_drawn(torch.cat([torch.zeros(1, 16), noise]))  # that of the padding
    assert looks_drawn(nn.init.uniform_(torch.empty(300, 16), -0.1, 0.1, generator=generator))
    for learned in (few, few + noise, noise + 1, torch.eye(64), torch.zeros(300, 16), noise[:20]):
        assert not looks_drawn(learned)


def test_a_frozen_embedding_is_told_by_its_rows() -> None:
    def drawn(vectors: torch.Tensor, freeze: bool) -> tuple[str, ...]:
        net = nn.Sequential(nn.Embedding.from_pretrained(vectors, freeze), nn.Linear(16, 2))
        optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
        with nw.watch() as watched:
            net(torch.arange(20)).sum().backward()
            optimizer.step()
        wiring = watched.history().wiring
        assert wiring is not None
        return wiring.drawn_embeddings

    noise = torch.randn(100, 16, generator=torch.Generator().manual_seed(0))
    assert drawn(noise, True) == ("0.weight",)
    assert drawn(noise, False) == ()
    assert drawn(noise + noise[:, :1], True) == ()
