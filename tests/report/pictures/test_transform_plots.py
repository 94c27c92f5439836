"""Where each layer takes the plane: what is drawn is what the network computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import netwise as nw
from netwise.report.pictures.transform_plots import LINES, _as_planes, _grid, _stages


def test_the_plane_goes_through_each_layer_as_the_network_takes_it(
    tmp_path: Path, drawn: list[Any]
) -> None:
    torch.manual_seed(0)
    module = nw.MLP((2, 2, 3, 2), activation=nw.Tanh(), dropout=0.5).build()
    grid = _grid(torch.tensor([-1.0, -1.0]), torch.tensor([1.0, 1.0]))
    stages = dict(_stages(module, grid))
    assert list(stages) == ["after activation1", "after activation2", "outputs"]
    h = torch.tanh(module.layer1(grid)).detach()
    assert torch.allclose(stages["after activation1"], h)
    assert torch.allclose(
        stages["outputs"], module.layer3(torch.tanh(module.layer2(h))).detach(), atol=1e-6
    )
    assert module.training
    lines, dots = _as_planes(stages["after activation1"], 100)
    assert lines.shape == (100, 2)
    assert (dots == h[100:].numpy()).all()  # two units are seen as they are
    lines, dots = _as_planes(stages["after activation2"], 100)
    assert dots.shape == (len(grid) - 100, 2)
    x = torch.rand(30, 2)
    nw.plot_transforms(module, x, torch.arange(30) % 3, tmp_path / "a.svg")
    panels = drawn[0].axes
    assert [panel.get_title(loc="left") for panel in panels] == ["inputs", *stages]
    assert {len(panel.lines) for panel in panels} == {2 * LINES}
    assert {len(panel.collections) for panel in panels} == {3}  # one for each class
    dots = panels[-1].collections[1].get_offsets()
    torch.testing.assert_close(torch.as_tensor(dots), module.eval()(x)[1::3].detach().double())
    assert nw.plot_transforms(module, x, torch.zeros(30), tmp_path / "a.png").stat().st_size > 5000
    with pytest.raises(ValueError, match="only a plane of two inputs can be drawn"):
        nw.plot_transforms(module, torch.rand(3, 5), torch.zeros(3), tmp_path / "b.png")


def test_more_than_two_units_are_seen_along_their_widest_directions() -> None:
    g = torch.Generator().manual_seed(0)
    values = torch.randn(500, 4, generator=g) * torch.tensor([0.1, 5.0, 0.2, 2.0])
    _, dots = _as_planes(values, 0)
    assert abs(dots[:, 0].std() - 5.0) < 0.5
    assert abs(dots[:, 1].std() - 2.0) < 0.3


def test_one_unit_is_drawn_on_a_line() -> None:
    values = torch.arange(5.0)[:, None]
    lines, dots = _as_planes(values, 2)
    assert lines.tolist() == [[0.0, 0.0], [1.0, 0.0]]
    assert dots.tolist() == [[2.0, 0.0], [3.0, 0.0], [4.0, 0.0]]
