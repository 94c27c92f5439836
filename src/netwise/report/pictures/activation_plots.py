"""Every activation and its slope, as a picture and as a table."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from netwise.parts.activations import (
    ACTIVATIONS,
    Activation,
    Maxout,
    Softmax,
    activation_properties,
    slope,
)
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, save

COLUMNS = 5
LOWEST, HIGHEST, POINTS = -4, 4, 401  # of the curves


def elementwise_activations() -> list[Activation]:
    """The activations that have a curve: all but those that take several numbers at a time."""
    return [cls() for cls in ACTIVATIONS if cls not in (Softmax, Maxout)]


def plot_activations(path: str | Path) -> Path:
    """Draw every elementwise activation with its slope.

    Args:
        path: a file whose name ends in .png or .svg.

    Raises:
        ValueError: the name ends otherwise.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "activations.svg"
        >>> nw.plot_activations(path).stat().st_size > 10_000
        True
    """
    activations = elementwise_activations()
    rows = math.ceil(len(activations) / COLUMNS)
    x = torch.linspace(LOWEST, HIGHEST, POINTS)
    height = 1.75 * rows
    with figure(height=height, columns=COLUMNS, rows=rows, width=11.0, paper=True) as (made, axes):
        for ax in axes.flat[len(activations) :]:
            ax.set_axis_off()
        for activation, ax in zip(activations, axes.flat, strict=False):
            ax.plot(x, activation(x).detach(), color=BLUE, label="f(x)")
            ax.plot(x, slope(activation, x), color=ORANGE, linestyle="--", label="slope")
            ax.set_title(type(activation).__name__)
            ax.set_ylim(-2, 3)
        axes.flat[0].legend(fontsize=7, loc="upper left")
        return save(made, Path(path), "Activations and their slopes")


def activation_table() -> str:
    """Range, largest slope, where the slope fades, and mean output, one line per activation."""
    rows = [
        ("activation", "range", "largest slope", "slope < 10 %", "slope < 1 %", "mean for N(0, 1)")
    ]
    for activation in elementwise_activations():
        properties = activation_properties(activation)
        rows.append(
            (
                properties.name,
                f"{_limit(properties.lowest)} to {_limit(properties.highest)}",
                f"{properties.max_slope:.4g}",
                _beyond(properties.below_10_percent),
                _beyond(properties.below_1_percent),
                f"{round(properties.mean, 3) + 0.0:.3f}",  # + 0.0: no -0.000
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for name, limits, *numbers in rows:
        cells = (f"{cell:>{width}}" for cell, width in zip(numbers, widths[2:], strict=True))
        lines.append(f"{name:<{widths[0]}}  {limits:<{widths[1]}}  {'  '.join(cells)}")
    return "\n".join(lines)


def _limit(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else ("-inf" if value < 0 else "inf")


def _beyond(value: float) -> str:
    """Where the slope stays below a limit, for good."""
    return f"|x| > {value:.2f}" if math.isfinite(value) else "never"
