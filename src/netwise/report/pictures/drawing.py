"""From a matplotlib figure to an SVG whose text and lines take the colours of the page, light or
dark; or to a file of its own."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from netwise.atomic import write_atomically

INK, FAINT = "#010203", "#040506"  # placeholders for the page's colours of text and lines
BLUE, ORANGE, GREEN, RED, GREY = "#3b82c4", "#d9822b", "#3a9d5d", "#c94f4f", "#8a8f98"
COLOURS = (BLUE, ORANGE, GREEN, RED, "#8563b8", "#4aa5a5", "#b5657f", "#96872f")
WIDTH = 4.7  # inches: one column of a phone, so that text keeps its size there

# Names of classes, columns and layers are drawn as they are: "$x_{$" is no formula, and a
# matplotlibrc in the current folder hands no text to TeX.
_PLAIN_TEXT: Any = {"text.parse_math": False, "text.usetex": False}
_STYLE: dict[str, Any] = {
    **_PLAIN_TEXT,
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.edgecolor": FAINT,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "image.cmap": "viridis",
}

_PAPER: dict[str, Any] = {"grid.color": "#d5dbe2", "axes.edgecolor": "#8a8f98"}
_FILE_INK, _FILE_FAINT = "#1d232b", "#c9d1d9"  # of an SVG file, which has no page around it


@contextmanager
def figure(
    height: float = 2.7, columns: int = 1, rows: int = 1, width: float = WIDTH, paper: bool = False
) -> Iterator[tuple[Any, Any]]:
    """A figure and its axes, in the style of the page.

    Args:
        height, width: in inches.
        columns, rows: of axes.
        paper: use colours of its own, for a picture that stands alone. Default false: placeholders
            that `svg` replaces by the colours of the page.

    Yields:
        The figure, and its axes as an array `(rows, columns)`.
    """
    import matplotlib  # heavy
    from matplotlib.figure import Figure

    style: Any = {**_STYLE, **_PAPER} if paper else _STYLE
    with matplotlib.rc_context(style):
        made = Figure(figsize=(width, height), layout="constrained")
        yield made, made.subplots(rows, columns, squeeze=False)


def svg(made: Any, title: str) -> str:
    """The figure as an SVG element of a page.

    Args:
        made: a figure.
        title: its accessible name, which screen readers read; unique on the page, because the ids
            in the SVG are made from it.
    """
    import matplotlib  # heavy

    # Ids must differ between the pictures of one page, and be the same each time it is written.
    style: Any = {**_STYLE, "svg.hashsalt": title}
    with matplotlib.rc_context(style):
        buffer = io.StringIO()
        made.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    label = escape(title, quote=True).replace("\\", "/")
    text = re.sub(
        r'<svg [^>]*?viewBox="([^"]*)"[^>]*>',
        rf'<svg viewBox="\1" role="img" aria-label="{label}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">',
        text,
        count=1,
    )
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Ids such as those of tick marks have the same numbers in every figure.
    prefix = re.sub(r"\W+", "-", title.lower())
    text = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{prefix}-", text)
    return text.replace(INK, "currentColor").replace(FAINT, "var(--line)")


def use_log_scale(axes: Any, axis: str, *, linear_below: float = 0.0) -> None:
    """A logarithmic scale whose ticks are plain numbers: matplotlib's own are formulas.

    Args:
        axes: of a figure.
        axis: "x" or "y".
        linear_below: the scale is linear from 0 to this number, so that it has 0; default 0: it is
            logarithmic everywhere.
    """
    from matplotlib.ticker import FuncFormatter, LogFormatter  # heavy

    class PlainNumbers(LogFormatter):
        """Chooses which ticks get a label as matplotlib does, and writes 0.2 and not 2e-01."""

        def __call__(self, value: float, place: int | None = None) -> str:
            return f"{value:g}" if super().__call__(value, place) else ""

    scaled = axes.xaxis if axis == "x" else axes.yaxis
    if linear_below:
        getattr(axes, f"set_{axis}scale")("symlog", linthresh=linear_below)
        scaled.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        return
    axes.set(**{f"{axis}scale": "log"})
    scaled.set_major_formatter(PlainNumbers())
    scaled.set_minor_formatter(PlainNumbers())


def use_whole_ticks(axis: Any) -> None:
    """Ticks of the horizontal axis at whole numbers only, for epochs and layers."""
    axis.xaxis.get_major_locator().set_params(integer=True)


def save_png(made: Any, path: str | Path) -> None:
    """Write the figure as a PNG on white."""
    import matplotlib  # heavy

    buffer = io.BytesIO()
    with matplotlib.rc_context(_PLAIN_TEXT):
        made.savefig(buffer, format="png", dpi=160, facecolor="white")
    write_atomically(path, buffer.getvalue())


def save(made: Any, path: Path, title: str) -> Path:
    """Write the figure to a file that can be viewed outside a page.

    Args:
        made: a figure.
        path: a file whose name ends in .png or .svg.
        title: as for `svg`.

    Raises:
        ValueError: the name ends otherwise.
    """
    if path.suffix == ".png":
        save_png(made, path)
    elif path.suffix == ".svg":
        text = svg(made, title)
        text = text.replace("currentColor", _FILE_INK).replace("var(--line)", _FILE_FAINT)
        write_atomically(path, text)
    else:
        raise ValueError(
            f"{path}: a picture has to be a PNG or an SVG file. "
            f"Write {path.with_suffix('.png')} or {path.with_suffix('.svg')}."
        )
    return path
