"""Layers as bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netwise as nw
from netwise.report.pictures.anatomy_plots import MOST_ROWS


def bars(axes: Any) -> list[float]:
    return [bar.get_width() for bar in axes.patches]


def test_each_layer_with_work_is_a_bar(drawn: list[Any], tmp_path: Path) -> None:
    nw.plot_anatomy(nw.describe(nw.MLP((64, 30, 10)), (64,)), tmp_path / "mlp.svg")
    parameters, work, memory = drawn[0].axes  # no receptive field in a network without images
    assert [label.get_text() for label in parameters.get_yticklabels()] == ["layer1", "layer2"]
    assert bars(parameters) == [64 * 30 + 30, 30 * 10 + 10]
    assert bars(work) == [64 * 30, 30 * 10]
    assert bars(memory) == [30 * 4 / 1024, 10 * 4 / 1024]
    assert drawn[0].get_suptitle().startswith("2,260 parameters, 2,220 multiply-adds")


def test_convolutions_have_their_receptive_field(drawn: list[Any], tmp_path: Path) -> None:
    nw.plot_anatomy(nw.describe(nw.LeNet5(), (1, 28, 28)), tmp_path / "lenet.svg")
    titles = [axes.get_title(loc="left") for axes in drawn[0].axes]
    assert titles[-1] == "receptive field, rows of pixels"
    # 5x5, pooled by 2, 5x5: 5 and then 5 + 1 + 4 * 2 rows
    assert bars(drawn[0].axes[-1])[:2] == [5, 14]


def test_many_layers_are_summed_by_module_and_lose_no_parameter(
    drawn: list[Any], tmp_path: Path
) -> None:
    anatomy = nw.describe(nw.ResNet(depth=50), (3, 64, 64))
    nw.plot_anatomy(anatomy, tmp_path / "resnet.svg")
    parameters = bars(drawn[0].axes[0])
    assert len(parameters) <= MOST_ROWS < len(anatomy.rows)
    assert sum(parameters) == anatomy.parameters
    assert sum(bars(drawn[0].axes[1])) == anatomy.multiply_adds
