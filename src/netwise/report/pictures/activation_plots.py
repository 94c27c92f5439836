"""Every activation and its slope, side by side."""

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


def of_one_number() -> list[Activation]:
    """The activations that have a curve: all but those that take several numbers at a time."""
    return [cls() for cls in ACTIVATIONS if cls not in (Softmax, Maxout)]


def plot_activations(path: str | Path) -> Path:
    """Draw every activation of one number with its slope, as `.png` or `.svg` by the ending of
    `path`.

    Raises:
        ValueError: another ending.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> nw.plot_activations(pathlib.Path(tempfile.mkdtemp()) / "activations.svg").stat().st_size > 10_000
        True
    """
    members = of_one_number()
    rows = math.ceil(len(members) / COLUMNS)
    x = torch.linspace(-4, 4, 401)
    with figure(height=1.75 * rows, columns=COLUMNS, rows=rows, width=11.0, paper=True) as (
        made,
        axes,
    ):
        for i, ax in enumerate(axes.flatten()):
            if i >= len(members):
                ax.set_axis_off()
                continue
            ax.plot(x, members[i](x).detach(), color=BLUE, label="f(x)")
            ax.plot(x, slope(members[i], x), color=ORANGE, linestyle="--", label="its slope")
            ax.set_title(type(members[i]).__name__)
            ax.set_ylim(-2, 3)
            if i == 0:
                ax.legend(fontsize=7, loc="upper left")
        return save(made, Path(path), "Activations and their slopes")


def activation_table() -> str:
    """Range, steepest slope, where it fades, and mean output, one line an activation."""
    rows = [
        ("activation", "range", "steepest", "slope under 10 %", "under 1 %", "mean for N(0, 1)")
    ]
    for activation in of_one_number():
        c = activation_properties(activation)
        reach = f"{_end(c.lowest)} to {_end(c.highest)}"
        rows.append(
            (
                c.name,
                reach,
                f"{c.max_slope:.4g}",
                _beyond(c.below_10_percent),
                _beyond(c.below_1_percent),
                f"{round(c.mean, 3) + 0.0:.3f}",  # + 0.0: no -0.000
            )
        )
    wide = [max(len(row[i]) for row in rows) for i in range(6)]
    lines = [
        f"{row[0]:<{wide[0]}}  {row[1]:<{wide[1]}}  "
        + "  ".join(f"{cell:>{w}}" for cell, w in zip(row[2:], wide[2:], strict=True))
        for row in rows
    ]
    return "\n".join(lines)


def _end(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else ("-inf" if value < 0 else "inf")


def _beyond(value: float) -> str:
    return f"|x| > {value:.2f}" if math.isfinite(value) else "never"
