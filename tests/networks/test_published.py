"""Published networks: exact counts, torchvision's names and shapes, and forms for small images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw

# claims.md section 3: from the papers, computed; and from torchvision 0.29's weight metadata
COUNTS = [
    (nw.LeNet5Paper(), 60_000),
    (nw.AlexNet(towers=True, image=(3, 227, 227)), 60_965_224),
    (nw.AlexNet(), 61_100_840),
    (nw.VGG(depth=11), 132_863_336),
    (nw.VGG(), 138_357_544),
    (nw.VGG(batch_norm=True), 138_365_992),
    (nw.GoogLeNet(auxiliary=False), 6_624_904),
    (nw.ResNet(), 11_689_512),
    (nw.ResNet(depth=34), 21_797_672),
    (nw.ResNet(depth=50), 25_557_032),
    (nw.ResNet(depth=101), 44_549_160),
    (nw.ResNet(depth=152), 60_192_808),
    (nw.CIFARResNet(), 269_722),
    (nw.CIFARResNet(depth=32), 464_154),
    (nw.CIFARResNet(depth=44), 658_586),
    (nw.CIFARResNet(depth=56), 853_018),
    (nw.CIFARResNet(depth=110), 1_727_962),
]


def on_meta(network: nw.Network) -> nn.Module:
    """The module without its numbers, which for VGG alone would be half a gigabyte."""
    with torch.device("meta"):
        return network.build()


@pytest.mark.parametrize(("network", "count"), COUNTS, ids=lambda v: repr(v)[:40])
def test_the_published_count_is_exact(network: nw.Network, count: int) -> None:
    assert sum(p.numel() for p in on_meta(network).parameters()) == count


SHAPES = json.loads((Path(__file__).parent / "torchvision_shapes.json").read_text())
TORCHVISION = {
    "alexnet": nw.AlexNet(),
    "vgg16": nw.VGG(),
    "vgg19_bn": nw.VGG(depth=19, batch_norm=True),
    "googlenet_aux": nw.GoogLeNet(),
    "resnet18": nw.ResNet(),
    "resnet50": nw.ResNet(depth=50),
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_names_and_shapes_are_torchvisions(name: str) -> None:
    ours = [
        f"{key} {'x'.join(map(str, value.shape))}".strip()
        for key, value in on_meta(TORCHVISION[name]).state_dict().items()
    ]
    assert ours == SHAPES[name]  # read from torchvision 0.28


def test_published_weights_load_from_a_file(tmp_path: Path) -> None:
    network = nw.ResNet(image=(3, 16, 16), classes=10)
    shapes = {
        line.split()[0]: [int(n) for n in line.split()[1].split("x")] if " " in line else []
        for line in SHAPES["resnet18"]
    }
    g = torch.Generator().manual_seed(0)
    published = {
        name: torch.rand(shape, generator=g) if shape else torch.tensor(0)
        for name, shape in shapes.items()
    }
    torch.save(published, tmp_path / "resnet18.pth")
    data = nw.data.arrays(torch.rand(40, 3, 16, 16), list(range(10)) * 4)
    recipe = nw.Recipe(
        data=data,
        network=network,
        init=nw.From(str(tmp_path / "resnet18.pth"), anew=("fc", "conv1")),
        epochs=1,
        optimizer=nw.SGD(lr=1e-30),
    )
    state = nw.fit(recipe, test=False).module.state_dict()
    assert torch.equal(state["layer3.0.conv1.weight"], published["layer3.0.conv1.weight"])


SMALL = [
    nw.LeNet5(width=0.5),
    nw.LeNet5Paper(),
    nw.AlexNet(width=0.05),
    nw.AlexNet(width=0.05, towers=True),
    nw.VGG(depth=11, width=0.05),
    nw.VGG(depth=13, width=0.05, batch_norm=True),
    nw.GoogLeNet(width=0.1),
    nw.GoogLeNet(width=0.1, batch_norm=False, large_kernel=5),
    nw.ResNet(width=0.1),
    nw.ResNet(depth=50, width=0.1),
    nw.ResNet(width=0.1, order="before", stochastic_depth=0.2),
    nw.ResNet(depth=50, width=0.1, plain=True),
    nw.CIFARResNet(width=0.5, order="before"),
    nw.CIFARResNet(plain=True),
    nw.ConvNet(channels=(4, 8)),
]


@pytest.mark.parametrize("side", [28, 32, 96])
@pytest.mark.parametrize("network", SMALL, ids=lambda n: repr(n)[:60])
def test_a_network_takes_the_size_channels_and_classes_it_is_told_and_learns(
    network: nw.Network, side: int
) -> None:
    if isinstance(network, nw.LeNet5Paper):
        if side > 32:
            pytest.skip("the 1998 form is for 32x32 at most")
        network = network.but(image=(1, side, side), classes=7)
    else:
        network = network.but(image=(2, side, side), classes=7)
    torch.manual_seed(0)
    module = network.build()
    x, y = torch.rand(4, network.image[0], side, side), torch.tensor([0, 3, 6, 1])  # type: ignore[attr-defined]
    output = module(x)
    main, *others = output if isinstance(output, tuple) else (output,)
    assert all(each.shape == (4, 7) for each in (main, *others))
    torch.stack([F.cross_entropy(each, y) for each in (main, *others)]).sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in module.parameters())
    module.eval()
    assert module(x).shape == (4, 7)
    assert nw.describe(network, (network.image[0], side, side)).output == (7,)  # type: ignore[attr-defined]


def test_wrong_forms_are_refused() -> None:
    for make, told in (
        (lambda: nw.VGG(depth=12), "must be one of 11, 13, 16, 19"),
        (lambda: nw.ResNet(depth=20), "must be one of 18, 34, 50, 101, 152"),
        (lambda: nw.CIFARResNet(depth=21), "must be 6n"),
        (lambda: nw.AlexNet(image=(3, 8, 8)), "too small"),
        (lambda: nw.GoogLeNet(large_kernel=4), "must be 3 or 5"),
        (lambda: nw.LeNet5Paper(image=(3, 32, 32)), "one channel"),
        (lambda: nw.ConvNet(block="APD"), "letters of CBAPD"),
        (lambda: nw.ConvNet(channels=(8,) * 6), "pool 6 times"),
    ):
        with pytest.raises(nw.WrongValue, match=told):
            make()
