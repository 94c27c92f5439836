"""Published networks: exact counts, torchvision's names and shapes, and forms for small images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw
from netwise.networks.lenet import CONNECTIONS, GLYPHS, class_codes

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


def test_lenet_of_1998_has_the_papers_parts() -> None:
    assert [len(seen) for seen in CONNECTIONS] == [3] * 6 + [4] * 9 + [6]
    assert all(
        sum(feature in seen for seen in CONNECTIONS) == 10 for feature in range(6)
    )  # table I: each of six maps is seen by ten
    counts = {
        name: sum(p.numel() for p in layer.parameters())
        for name, layer in nw.LeNet5Paper().build().named_children()
    }
    assert {name: count for name, count in counts.items() if count} == {
        "c1": 156,
        "s2": 12,
        "c3": 1516,
        "s4": 32,
        "c5": 48_120,
        "f6": 10_164,
    }
    codes = class_codes(26)
    assert codes.shape == (26, 84)
    assert len({tuple(code.tolist()) for code in codes}) == 26
    assert all(len(row) == 7 for glyph in GLYPHS for row in glyph.split())
    module = nw.LeNet5Paper().build()
    with torch.no_grad():
        f6 = module[:-1](torch.rand(1, 1, 28, 28))
        assert torch.allclose(module.output(f6), -((f6 - codes[:10]) ** 2).sum(1)[None], atol=1e-4)


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


def test_stochastic_depth_drops_whole_branches_and_keeps_the_mean() -> None:
    from netwise.networks.layers.residual import stochastic_depth

    torch.manual_seed(0)
    x = torch.ones(20_000, 3)
    y = stochastic_depth(x, 0.3, training=True)
    assert y.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert bool((y == y[:, :1]).all())
    assert float(y.mean()) == pytest.approx(1.0, abs=0.02)
    assert torch.equal(stochastic_depth(x, 0.3, training=False), x)


def test_drop_connect_drops_weights_and_keeps_the_mean() -> None:
    from netwise.networks.layers.dropconnect import DropConnectLinear

    torch.manual_seed(0)
    layer = DropConnectLinear(50, 1, bias=False, p=0.4)
    x = torch.ones(1, 50)
    with torch.no_grad():
        drawn = torch.cat([layer(x) for _ in range(4000)])
        assert float(drawn.mean()) == pytest.approx(float(layer.eval()(x)), abs=0.03)
    assert torch.equal(layer(x), F.linear(x, layer.weight))


@pytest.mark.parametrize("letters", ["C", "CA", "CBA", "CAB", "CAP", "CBAPD", "PCA", "CABPD"])
def test_each_letter_of_a_block_may_be_left_out(letters: str) -> None:
    block = nw.conv_block(3, 8, letters)
    kinds = {"C": "conv", "B": "norm", "A": "activation", "P": "pool", "D": "dropout"}
    assert [name for name, _ in block.named_children()] == [kinds[letter] for letter in letters]
    assert block(torch.rand(2, 3, 8, 8)).shape == (
        2,
        8,
        4 if "P" in letters else 8,
        4 if "P" in letters else 8,
    )


@pytest.mark.parametrize("size", range(1, 33))
def test_sizes_are_torchs_and_tensorflows(size: int) -> None:
    for kernel in range(1, 8):
        for stride in range(1, 5):
            x = torch.zeros(1, 1, size, size)
            if kernel <= size:
                assert (
                    nw.sizes.valid(size, kernel, stride)
                    == F.max_pool2d(x, kernel, stride).shape[-1]
                )
            before, after = nw.sizes.same_padding(size, kernel, stride)
            assert 0 <= after - before <= 1
            padded = F.pad(x, (before, after, before, after))
            if kernel <= padded.shape[-1]:
                assert (
                    nw.sizes.same(size, stride)
                    == -(-size // stride)
                    == F.max_pool2d(padded, kernel, stride).shape[-1]
                )


def test_convolutions_that_keep_the_size_are_torchs_own_same_at_stride_one() -> None:
    from netwise.networks.sizes import SameConv2d

    x = torch.rand(2, 3, 9, 9)
    for kernel in (1, 3, 5):  # of even ones torch warns that it pads
        ours = SameConv2d(3, 4, kernel)
        theirs = nn.Conv2d(3, 4, kernel, padding="same")
        theirs.load_state_dict(ours.state_dict())
        assert torch.allclose(ours(x), theirs(x), atol=1e-6)
    assert SameConv2d(3, 4, 3, 2)(x).shape[-1] == 5


def test_max_pooling_sends_the_error_to_the_greatest_alone() -> None:
    # note 001, claim Y08
    x = torch.tensor([[[[1.0, 5.0], [2.0, 3.0]]]], requires_grad=True)
    (g,) = torch.autograd.grad(nw.conv_block(1, 1, "CAP")[-1](x).sum(), x)
    assert g.tolist() == [[[[0.0, 1.0], [0.0, 0.0]]]]


def test_batch_norm_learns_from_the_batch_and_judges_by_what_it_kept() -> None:
    # note 000, claim Y04
    module = nw.MLP((4, 8, 3), batch_norm=True).build()
    module(torch.randn(64, 4))
    module.eval()
    x = torch.randn(5, 4)
    assert torch.allclose(module(x), torch.cat([module(row[None]) for row in x]), atol=1e-6)
    after = nw.MLP((4, 8, 3), batch_norm=True, norm_place="after").build()
    names = [name for name, _ in after.named_children()]
    assert names.index("norm1") == names.index("activation1") + 1
