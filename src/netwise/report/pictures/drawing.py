"""From a matplotlib figure to an SVG that follows the page: its text takes the page's colour, light
or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from netwise.atomic import write_atomically

INK, FAINT = "#010203", "#040506"  # stand-ins, replaced by the page's own colours
BLUE, ORANGE, GREEN, RED, GREY = "#3b82c4", "#d9822b", "#3a9d5d", "#c94f4f", "#8a8f98"
COLOURS = (BLUE, ORANGE, GREEN, RED, "#8563b8", "#4aa5a5", "#b5657f", "#96872f")
WIDTH = 4.7  # inches: one column of a phone, so that text keeps its size there

_STYLE: dict[str, Any] = {
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


@contextmanager
def figure(
    height: float = 2.7, columns: int = 1, rows: int = 1, width: float = WIDTH, paper: bool = False
) -> Iterator[tuple[Any, Any]]:
    """A figure and its axes in the style of the page; with `paper` in colours of its own, for a
    picture that stands alone."""
    import matplotlib
    from matplotlib.figure import Figure

    style: Any = {**_STYLE, **_PAPER} if paper else _STYLE
    with matplotlib.rc_context(style):
        made = Figure(figsize=(width, height), layout="constrained")
        yield made, made.subplots(rows, columns, squeeze=False)


def svg(made: Any, title: str) -> str:
    """The figure as an SVG element; `title` is read out to those who do not see it."""
    import matplotlib

    # Ids must differ between the pictures of one page, and be the same each time it is written.
    style: Any = {**_STYLE, "svg.hashsalt": title}
    with matplotlib.rc_context(style):
        buffer = io.StringIO()
        made.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(
        r'<svg [^>]*?viewBox="([^"]*)"[^>]*>',
        rf'<svg viewBox="\1" role="img" aria-label="{_safe(title)}" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">',
        text,
        count=1,
    )
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Ids such as those of tick marks are numbered alike in every figure.
    mark = re.sub(r"\W+", "-", title.lower())
    text = re.sub(r'id="([^"]+)"', rf'id="{mark}-\1"', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{mark}-", text)
    return text.replace(INK, "currentColor").replace(FAINT, "var(--line)")


def _safe(text: str) -> str:
    from html import escape

    return escape(text, quote=True).replace("\\", "/")


def save_png(made: Any, path: Any, dark: bool = False) -> None:
    """The figure as a PNG, for a README."""
    made.savefig(path, dpi=160, facecolor="white" if not dark else "#14171c")


def save(made: Any, path: Path, title: str) -> Path:
    """Write a figure as `.png` or `.svg`."""
    if path.suffix == ".png":
        save_png(made, path)
    elif path.suffix == ".svg":
        # On paper of its own, so that it can be looked at outside a page.
        text = svg(made, title).replace("currentColor", "#1d232b").replace("var(--line)", "#c9d1d9")
        write_atomically(path, text)
    else:
        raise ValueError(f"{path}: a picture ends in .png or .svg")
    return path
