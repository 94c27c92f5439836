"""Every activation and its slope."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.report.pictures.activation_plots import activation_table, elementwise_activations


def test_every_elementwise_activation_has_a_panel_with_its_slope(
    drawn: list[Any], tmp_path: Path
) -> None:
    nw.plot_activations(tmp_path / "activations.svg")
    panels = {axes.get_title(loc="left"): axes for axes in drawn[0].axes if axes.lines}
    assert list(panels) == [type(each).__name__ for each in elementwise_activations()]
    curve, slope = panels["Tanh"].lines
    x = np.asarray(curve.get_xdata())
    np.testing.assert_allclose(curve.get_ydata(), np.tanh(x), atol=1e-6)
    np.testing.assert_allclose(slope.get_ydata(), 1 - np.tanh(x) ** 2, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "function"), [("GELU", torch.nn.GELU()), ("SELU", torch.nn.SELU())]
)
def test_curves_equal_torch(
    name: str, function: torch.nn.Module, drawn: list[Any], tmp_path: Path
) -> None:
    nw.plot_activations(tmp_path / "a.png")
    (panel,) = (axes for axes in drawn[0].axes if axes.get_title(loc="left") == name)
    x = torch.as_tensor(np.asarray(panel.lines[0].get_xdata()))
    np.testing.assert_allclose(panel.lines[0].get_ydata(), function(x), atol=1e-6)


def test_the_table_has_aligned_lines_of_at_most_90_columns() -> None:
    lines = activation_table().splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) <= 90
    assert len(lines) == 1 + len(elementwise_activations())
    assert "-0.000" not in activation_table()
    # |x| at which 1 - tanh(x)^2 falls to 0.1 and 0.01: atanh(sqrt(0.9)), atanh(sqrt(0.99))
    assert re.search(r"Tanh +-1 to 1 +1 +\|x\| > 1.82 +\|x\| > 2.99 +0.000", activation_table())
    assert re.search(r"ReLU +0 to inf +1 +never +never +0.399", activation_table())  # 1/sqrt(2 pi)
