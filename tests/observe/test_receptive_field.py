"""Receptive fields against brute force: which pixels move a number of a map."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.observe.receptive_field import Field


def seen(module: nn.Module, side: int, layer: nn.Module) -> tuple[int, int]:
    """Pixels between the first and the last that have a gradient at the middle of the layer's
    maps."""
    kept: list[torch.Tensor] = []
    handle = layer.register_forward_hook(lambda layer, args, output: kept.append(output))
    x = torch.rand(1, 1, side, side, requires_grad=True)
    module(x)
    handle.remove()
    maps = kept[0]
    middle = maps.shape[-1] // 2
    (g,) = torch.autograd.grad(maps[0, :, middle, middle].sum(), x)
    rows, columns = (
        torch.nonzero(g[0, 0].abs().sum(1)).flatten(),
        torch.nonzero(g[0, 0].abs().sum(0)).flatten(),
    )
    return int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1


class Branches(nn.Module):
    """Two ways of unequal reach, added and put in a row, written with functions."""

    def __init__(self) -> None:
        super().__init__()
        self.short, self.long, self.after = (
            nn.Conv2d(1, 2, 1),
            nn.Conv2d(1, 2, (5, 3), padding=(2, 1)),
            nn.Conv2d(4, 1, 3, 2, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b = self.short(x), self.long(x)
        y: torch.Tensor = self.after(torch.cat([a + b, torch.tanh(b)], 1))
        return y


SMOOTH = nn.Sequential(
    nn.Conv2d(1, 3, 3),
    nn.Tanh(),
    nn.AvgPool2d(2),
    nn.Conv2d(3, 2, 3, dilation=2),
    nn.AvgPool2d(3, 2, 1),
    nn.Conv2d(2, 2, (1, 3), stride=(1, 2)),
)


@pytest.mark.parametrize("module", [SMOOTH, Branches()], ids=["sequential", "branches"])
def test_fields_are_those_that_gradients_show(module: nn.Module) -> None:
    anatomy = {row.name: row.field for row in nw.describe(module, (1, 64, 64)).rows}
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d | nn.AvgPool2d):
            assert anatomy[name] == seen(module, 64, layer), name


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_formula_of_the_notes(stride: int) -> None:
    # r_l = r_(l-1) + (k_l - 1) prod of the strides before (note 001, claim Y02)
    field, r, jump = Field(), 1, 1
    for kernel in (3, 5, 2):
        field = field.after_window(kernel, stride, 1)
        r, jump = r + (kernel - 1) * jump, jump * stride
        assert (field.size, field.jump) == (r, jump)


def test_published_fields() -> None:
    vgg = [
        row.field for row in nw.describe(nw.VGG(), (3, 224, 224)).rows if row.kind == "MaxPool2d"
    ]
    assert vgg == [
        (6, 6),
        (16, 16),
        (44, 44),
        (100, 100),
        (212, 212),
    ]  # Araujo, Norris, Sim 2019, Distill
    two, three = (
        nw.describe(nn.Sequential(*[nn.Conv2d(1, 1, 3) for _ in range(n)]), (1, 20, 20))
        .rows[-1]
        .field
        for n in (2, 3)
    )
    assert (two, three) == ((5, 5), (7, 7))  # note 001, claim N06
    alexnet = nw.describe(nw.AlexNet(), (3, 224, 224)).rows
    assert next(row.field for row in alexnet if row.name == "features.12") == (195, 195)


def test_netwises_own_pooling_sees_as_torchs() -> None:
    fields = [
        [row.field for row in nw.describe(network, (1, 28, 28)).rows if "Pool" in row.kind]
        for network in (nw.LeNet5(), nw.ConvNet(channels=(4, 4), kernel=5))
    ]
    assert fields == [[(6, 6), (16, 16)], [(6, 6), (16, 16)]]
    assert nw.describe(nw.LeNet5(), (1, 28, 28)).rows[-1].field == "whole"
    assert nw.describe(nw.MLP((4, 3)), (4,)).rows[-1].field is None
