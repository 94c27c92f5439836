"""A restricted Boltzmann machine has what phases and estimates need."""

from __future__ import annotations

import torch

import netwise as nw
from netwise.networks.energy.machine import RestrictedMachine
from netwise.networks.energy.rbm import RestrictedBoltzmann


def test_a_machine_trained_by_fast_pcd_has_every_member_of_the_protocol() -> None:
    module = nw.RBM(5, 3).build()
    assert isinstance(module, RestrictedBoltzmann)
    module.set_loss(nw.FastPCD(chains=4))
    members = [name for name in vars(RestrictedMachine) if not name.startswith("_")]
    assert len(members) >= 15
    for name in members:
        assert hasattr(module, name), name
    shapes = [p.shape for p in module.weights_and_biases]
    assert shapes == [(3, 5), (3,), (5,)]
    fast = (module.fast_weight, module.fast_hidden, module.fast_visible)
    assert [value.shape for value in fast] == shapes
    assert module.chains.shape == (4, 5)
    v = torch.zeros(2, 5)
    assert module.sample_hidden(v).shape == module.hidden_input(v).shape == (2, 3)
    assert module.gibbs(v, 2).shape == (2, 5)
    assert module.free_energy(v).shape == (2,)
