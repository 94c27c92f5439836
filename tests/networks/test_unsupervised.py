"""The interface of modules that compute their own loss."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.networks.unsupervised import UnsupervisedModule

MODULES = [
    nw.Autoencoder((12, 4)),
    nw.ConvAutoencoder(image=(1, 4, 4), channels=(2,), code=3),
    nw.VariationalAutoencoder((12, 6, 2)),
    nw.RBM(12, 4),
    nw.DBN((12, 6, 4)),
    nw.BoltzmannMachine(12, 2),
]


@pytest.mark.parametrize("network", MODULES, ids=lambda n: type(n).__name__)
def test_pictures_have_the_shapes_they_promise(network: nw.Network) -> None:
    module = network.build().eval()
    assert isinstance(module, UnsupervisedModule)
    filters, samples, pairs = (
        module.first_filters(),
        module.picture_samples(3, steps=2),
        module.pair_weights(),
    )
    if filters is not None:
        assert filters.shape[1] == 12
    if samples is not None:
        assert samples[0].shape == (3, 12)
        assert samples[1]
    if pairs is not None:
        assert pairs[0].shape == (14, 14)
        assert pairs[1] == 12
    assert (filters is None) == isinstance(network, nw.ConvAutoencoder | nw.BoltzmannMachine)
    assert (pairs is not None) == isinstance(network, nw.BoltzmannMachine)


@pytest.mark.parametrize("network", MODULES, ids=lambda n: type(n).__name__)
def test_codes_and_reconstructions_exist_where_they_are_promised(network: nw.Network) -> None:
    module = network.build().eval()
    assert isinstance(module, UnsupervisedModule)
    x = torch.rand(5, 1, 4, 4) if network.input_kind == "images" else torch.rand(5, 12).round()
    assert module.reconstruct(x).shape == (5, x[0].numel())
    if module.has_code:
        assert len(module.encode(x)) == 5
    if module.can_complete:
        known = torch.arange(12) < 6
        full = module.complete(x, known, steps=4)
        assert torch.equal(full[:, :6], x[:, :6])


def test_what_a_module_lacks_is_an_error_that_names_one_that_has_it() -> None:
    module = UnsupervisedModule()
    x = torch.zeros(1, 2)
    for call in (
        lambda: module.encode(x),
        lambda: module.reconstruct(x),
        lambda: module.batch_loss(x, x),
    ):
        with pytest.raises(TypeError, match=r"Autoencoder\(\(64, 16\)\)"):
            call()
    with pytest.raises(TypeError, match=r"RBM\(64, 16\)"):
        module.evaluation_loss(x, 0)
    assert module.estimate_log_likelihood(x, 0) is None
    assert module.epoch_signals(x, x, 0) == {}
