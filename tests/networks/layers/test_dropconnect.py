"""DropConnect."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F


def test_drop_connect_drops_weights_and_keeps_the_mean() -> None:
    from netwise.networks.layers.dropconnect import DropConnectLinear

    torch.manual_seed(0)
    layer = DropConnectLinear(50, 1, bias=False, p=0.4)
    x = torch.ones(1, 50)
    with torch.no_grad():
        drawn = torch.cat([layer(x) for _ in range(4000)])
        assert float(drawn.mean()) == pytest.approx(float(layer.eval()(x)), abs=0.03)
    assert torch.equal(layer(x), F.linear(x, layer.weight))
