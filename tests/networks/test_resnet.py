"""Residual networks."""

from __future__ import annotations

import torch

import netwise as nw
from netwise.networks.resnet import Shortcut


def test_a_residual_block_adds_and_its_plain_twin_does_not() -> None:
    for order in ("after", "before"):
        network = nw.CIFARResNet(depth=8, order=order)
        module = network.build().eval()
        block = module.layer1[0]
        with torch.no_grad():
            for p in block.parameters():
                p.zero_()
            x = torch.rand(2, 16, 8, 8)
            assert torch.equal(block(x), x)  # F = 0: what comes in goes out
        twin = network.but(plain=True).build().eval().layer1[0]
        with torch.no_grad():
            for p in twin.parameters():
                p.zero_()
            assert not twin(x).any()
    # The gradient of x + F(x) is 1 + F', which may be below 1 (erratum E18).
    x = torch.tensor(1.0, requires_grad=True)
    (g,) = torch.autograd.grad(x - 0.5 * x, x)
    assert g.item() == 0.5


def test_option_a_pads_channels_with_zeros_and_takes_every_second_pixel() -> None:
    shortcut = Shortcut(4, 8, 2)
    x = torch.rand(2, 4, 6, 6)
    y = shortcut(x)
    assert y.shape == (2, 8, 3, 3)
    assert torch.equal(y[:, 2:6], x[:, :, ::2, ::2])
    assert not y[:, :2].any()
    assert not y[:, 6:].any()
    assert not list(shortcut.parameters())


def test_only_plain_networks_get_shortcuts() -> None:
    plain = nw.CIFARResNet(depth=8, plain=True)
    assert plain.with_shortcuts() == nw.CIFARResNet(depth=8)
    assert nw.ResNet().with_shortcuts() == "the network has residual connections already"
