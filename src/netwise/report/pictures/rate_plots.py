"""The picture of a learning-rate range test: the loss at each rate."""

from __future__ import annotations

from pathlib import Path

from netwise.report.pictures.drawing import BLUE, GREEN, GREY, RED, figure, save, use_log_scale
from netwise.treatment.range_test import RateRange

ABOVE = 1.3  # of the loss at the start: what is higher is cut off


def plot_rate_range(result: RateRange, path: str | Path) -> Path:
    """Draw the loss over the learning rate, with the rates at which it begins to fall, falls
    fastest and rises.

    Args:
        result: of `rate_range`.
        path: a file whose name ends in .png or .svg.

    Raises:
        ValueError: another ending.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> found = nw.rate_range(nw.suggest(nw.data.iris()))
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "range.svg"
        >>> nw.plot_rate_range(found, path).name
        'range.svg'

    Source: Smith 2017, arXiv 1506.01186, figure 3.
    """
    with figure(paper=True) as (made, axes):
        axis = axes[0][0]
        axis.plot(result.rates, result.losses, color=GREY, linewidth=0.7, label="each batch")
        axis.plot(result.rates, result.smoothed, color=BLUE, label="running mean")
        marks = (
            (result.begins, GREY, "falls from"),
            (result.steepest, GREEN, "fastest at"),
            (result.rises, RED, "rises from"),
        )
        for rate, colour, words in marks:
            if rate is not None:
                label = f"{words} {rate:.2g}"
                axis.axvline(rate, color=colour, linestyle="--", linewidth=1, label=label)
        if result.smoothed:
            low, first = min(result.smoothed), max(result.smoothed[: len(result.smoothed) // 3 + 1])
            margin = 0.1 * (first - low) + 1e-12
            axis.set_ylim(low - margin, first + (ABOVE - 1) * abs(first) + margin)
        use_log_scale(axis, "x")
        axis.set_xlabel("learning rate")
        axis.set_title("Loss at a rising learning rate")
        axis.legend(loc="best")
        return save(made, Path(path), "Loss at a rising learning rate")
