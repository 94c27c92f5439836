"""Small restricted machines, and all of their states, for tests against enumeration."""

from __future__ import annotations

import torch
from torch import Tensor

import netwise as nw
from netwise.networks.energy.rbm import RestrictedBoltzmann


def every(units: int) -> Tensor:
    return torch.tensor(
        [[i >> j & 1 for j in range(units)] for i in range(2**units)], dtype=torch.float64
    )


def machine(
    visible: int = 5, hidden: int = 3, std: float = 1.0, seed: int = 0, **kinds: object
) -> RestrictedBoltzmann:
    torch.manual_seed(seed)
    network = nw.RBM(visible, hidden, std=std, **kinds)  # type: ignore[arg-type]
    made = network.build().double().eval()
    assert isinstance(made, RestrictedBoltzmann)
    for p in made.weights_and_biases[1:]:
        torch.nn.init.normal_(p)
    return made


def joint(m: RestrictedBoltzmann) -> Tensor:
    """(2^visible, 2^hidden): -E of every state, from the formula of the notes."""
    weight, b, a = (p.detach() for p in m.weights_and_biases)
    v, h = every(m.visible), every(m.hidden)
    return (v @ a)[:, None] + (h @ b)[None, :] + v @ weight.t() @ h.t()
