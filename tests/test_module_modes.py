"""Evaluation mode is left as it was found, layer by layer, also after an error."""

from __future__ import annotations

import pytest
from torch import nn

from netwise.module_modes import evaluation_mode


def test_each_layer_gets_its_own_mode_back_after_an_error() -> None:
    module = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm1d(3), nn.Dropout().eval()))
    before = [layer.training for layer in module.modules()]
    with pytest.raises(RuntimeError, match="inside"), evaluation_mode(module):
        assert not any(layer.training for layer in module.modules())
        raise RuntimeError("inside")
    assert [layer.training for layer in module.modules()] == before
