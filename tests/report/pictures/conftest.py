"""What pictures draw, read from the figures before they become SVG."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from netwise.report.pictures import drawing


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The figures that are drawn in a test, in order. At its end, every title has to fit into its
    figure."""
    figures: list[Any] = []
    for name in ("svg", "save", "save_png"):
        real = getattr(drawing, name)

        def record(made: Any, *args: Any, real: Any = real) -> Any:
            if not any(made is figure for figure in figures):
                figures.append(made)
            return real(made, *args)

        for module in list(sys.modules.values()):
            is_picture = getattr(module, "__name__", "").startswith("netwise.report.pictures.")
            if is_picture and module is not drawing and hasattr(module, name):
                monkeypatch.setattr(module, name, record)
    yield figures
    for figure in figures:
        check_titles_fit(figure)


def check_titles_fit(figure: Any) -> None:
    """No title of the figure's axes ends outside of the figure."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    width = figure.bbox.width
    for axes in figure.axes:
        for place in ("left", "center", "right"):
            title = axes.title if place == "center" else getattr(axes, f"_{place}_title")
            if title.get_text():
                right = title.get_window_extent(renderer).x1
                assert right <= width * 1.01, f"{title.get_text()!r} ends at {right / width:.2f}"
