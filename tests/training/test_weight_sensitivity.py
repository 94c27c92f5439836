"""Noise on the weights: what the loss does, and that the run is as it was."""

from __future__ import annotations

import pytest
import torch

import netwise as nw


def test_the_loss_rises_with_the_noise_and_the_weights_are_put_back() -> None:
    run = nw.fit(nw.suggest(nw.data.iris(), epochs=40), test=False)
    before = {name: value.clone() for name, value in run.module.state_dict().items()}
    rises = [nw.weight_sensitivity(run, size=size).layers[0].rise for size in (0.01, 0.3, 1.0)]
    assert rises == sorted(rises)
    assert abs(rises[0]) < 0.1 < rises[2]
    assert all(torch.equal(value, before[name]) for name, value in run.module.state_dict().items())
    found = nw.weight_sensitivity(run, size=0.3)
    assert found == nw.weight_sensitivity(run, size=0.3)
    names = [layer.layer for layer in found.layers]
    assert names[0] == "all layers"
    assert names[1:] == [layer.name for layer in run.history.layers]
    losses = run.history.of("valid.loss")
    assert losses is not None
    assert found.loss == pytest.approx(min(losses.values), rel=0.2)


def test_what_cannot_be_measured_is_refused() -> None:
    run = nw.fit(nw.suggest(nw.data.iris(), epochs=1), test=False)
    with pytest.raises(ValueError, match="must be above 0"):
        nw.weight_sensitivity(run, size=0.0)
    memory = nw.Recipe(data=nw.data.digits(), preprocess=(nw.Binarise(),), network=nw.Hopfield(64))
    with pytest.raises(nw.WrongValue, match="has no loss of targets"):
        nw.weight_sensitivity(nw.fit(memory))
