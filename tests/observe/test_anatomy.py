"""The table of a network, and the sentence where a shape does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import netwise as nw


class Branched(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.out = nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(4, 2)

    def forward(self, x):  # type: ignore[no-untyped-def]
        return self.out(torch.relu(self.left(x)) + self.right(x))


def test_a_module_of_ones_own_is_described_in_order_of_use() -> None:
    anatomy = nw.describe(Branched(), (6,))
    assert [row.name for row in anatomy.rows] == ["left", "right", "out"]
    assert anatomy.multiply_adds == 24 + 24 + 8
    assert anatomy.output == (2,)


def test_convolutions_are_counted_as_their_windows() -> None:
    anatomy = nw.describe(nn.Conv2d(3, 8, 5, padding=2), (3, 10, 10))
    assert anatomy.multiply_adds == 8 * 10 * 10 * 3 * 5 * 5


def test_describing_leaves_no_trace() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    module[1].eval()
    before, mean = torch.get_rng_state(), module[1].running_mean.clone()
    nw.describe(module, (4,))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(module[1].running_mean, mean)
    assert (module.training, module[1].training) == (True, False)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in module.modules())


@pytest.mark.parametrize(
    ("module", "shape", "text"),
    [
        (
            nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(6, 2)),
            (4,),
            "2 (Linear) takes 6 features and gets 5. Write 5 for its input.",
        ),
        (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(3, 2, 3)),
            (1, 8, 8),
            "1 (Conv2d) takes 3 channels and gets 2. Write 2 for its channels.",
        ),
        (
            nn.Sequential(nn.Linear(4, 4), nn.Conv2d(1, 2, 3)),
            (4,),
            "1 (Conv2d) takes images (channels, height, width) and gets 4",
        ),
        (
            nn.Conv2d(1, 2, 9),
            (1, 4, 4),
            "(network) (Conv2d) has a kernel of 9x9 and gets maps of 4x4, which are smaller",
        ),
        (
            nn.Sequential(nn.Linear(4, 4), nn.Unflatten(1, (3, 3))),
            (4,),
            "1 (Unflatten) gets 4 and refuses",
        ),
    ],
)
def test_what_does_not_fit_is_explained_under_the_table(
    module: nn.Module, shape: tuple[int, ...], text: str
) -> None:
    with pytest.raises(nw.ShapeError) as caught:
        nw.describe(module, shape)
    lines = str(caught.value).splitlines()
    assert lines[0] == "The data do not fit through the network."
    assert lines[1].startswith("layer")
    assert lines[-1].startswith(text)
    assert not any(m._forward_hooks for m in module.modules())


def test_a_fault_between_the_layers_is_told_too() -> None:
    class Odd(nn.Module):
        def forward(self, x):  # type: ignore[no-untyped-def]
            return x.reshape(len(x), 7)

    with pytest.raises(nw.ShapeError):
        nw.describe(Odd(), (4,))


def test_memory_and_output_of_sequences_and_of_heads() -> None:
    network = nw.LSTM(symbols=10, features=4, units=8, outputs=10, answers="each")
    anatomy = nw.describe(network, (20,))
    assert anatomy.output == (10, 20)
    assert [row.memory for row in anatomy.rows] == [4 * 20 * 4, 4 * 20 * 8, 4 * 20 * 10]
    assert anatomy.memory == sum(row.memory for row in anatomy.rows)
    plain = nw.anatomy_as_dict(anatomy)
    assert plain["parameters"] == anatomy.parameters
    assert plain["rows"][1]["kind"] == "LSTM"


def test_published_work() -> None:
    assert (
        nw.describe(nw.ResNet(depth=50), (3, 224, 224)).multiply_adds == 4_089_184_256
    )  # 4.09 billion, as torchvision states
    assert nw.describe(nw.VGG(), (3, 224, 224)).multiply_adds == 15_470_264_320  # 15.47 billion


def test_a_deep_network_is_drawn_by_its_modules(tmp_path: Path) -> None:
    for network, shape in ((nw.ResNet(depth=50), (3, 64, 64)), (nw.LeNet5(), (1, 28, 28))):
        path = nw.plot_anatomy(
            nw.describe(network, shape), tmp_path / f"{type(network).__name__}.png"
        )
        assert path.stat().st_size > 10_000
    with pytest.raises(ValueError, match="has to be a PNG or an SVG file. Write"):
        nw.plot_anatomy(nw.describe(nw.LeNet5(), (1, 28, 28)), tmp_path / "a.gif")
    svg = nw.plot_activations(tmp_path / "a.svg").read_text()
    assert "currentColor" not in svg
    assert all(name in svg for name in ("GELU", "Sigmoid", "HardSwish"))
