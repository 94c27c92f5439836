"""LeNet-5, in its modern form and as published in 1998."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.networks.lenet import CONNECTIONS, GLYPHS, class_codes


def test_lenet5_has_its_published_maps_and_size() -> None:
    anatomy = nw.describe(nw.LeNet5(), (1, 28, 28))
    shapes = {row.name: row.shape for row in anatomy.rows}
    assert (
        shapes["conv1"],
        shapes["pool1"],
        shapes["conv2"],
        shapes["pool2"],
        shapes["layer3"],
        shapes["layer5"],
    ) == ((6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (10,))
    assert anatomy.parameters == 156 + 2416 + 48_120 + 10_164 + 850


@pytest.mark.parametrize("image", [(1, 28, 28), (3, 32, 32), (1, 12, 12), (2, 40, 17)])
def test_lenet5_takes_images_of_other_sizes(image: tuple[int, int, int]) -> None:
    assert nw.LeNet5(image, 7).build()(torch.zeros(3, *image)).shape == (3, 7)


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
