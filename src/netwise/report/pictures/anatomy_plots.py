"""A network's layers as bars: where its parameters, its work and its memory are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netwise.observe.anatomy import Anatomy
from netwise.report.pictures.drawing import BLUE, GREEN, GREY, ORANGE, figure, save

MOST_ROWS = 40  # layers that fit on a page; deep networks are summed by the module around them


def plot_anatomy(anatomy: Anatomy, path: str | Path) -> Path:
    """Draw the table of a network's layers as a picture, `.png` or `.svg` by the ending of `path`.

    Layers without parameters or work are left out; more than forty are summed by the module that
    they lie in.

    Raises:
        ValueError: another ending.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "mlp.svg"
        >>> nw.plot_anatomy(nw.describe(nw.MLP((64, 30, 10)), (64,)), path).name
        'mlp.svg'
    """
    path = Path(path)
    rows = _rows(anatomy)
    title = f"{anatomy.parameters:,} parameters, {anatomy.multiply_adds:,} multiply-adds, {anatomy.memory / 1024**2:,.1f} MiB a sample"
    panels = [("parameters", BLUE), ("multiply-adds", ORANGE), ("memory of outputs, KiB", GREEN)]
    if any(row[4] for row in rows):
        panels.append(("field: rows of pixels seen", GREY))
    with figure(
        height=0.9 + 0.2 * len(rows), columns=len(panels), width=3.4 * len(panels), paper=True
    ) as (made, axes):
        for place, (ax, (name, colour)) in enumerate(zip(axes[0], panels, strict=True), start=1):
            values = [(row[1], row[2], row[3] / 1024, row[4])[place - 1] for row in rows]
            ax.barh(range(len(rows)), values, color=colour)
            ax.set_title(name)
            ax.set_ylim(len(rows) - 0.4, -0.6)
            ax.grid(False, axis="y")
            ax.set_yticks(
                range(len(rows)),
                [row[0] for row in rows] if place == 1 else [""] * len(rows),
                fontsize=7,
            )
            ax.xaxis.set_major_locator(_few())
        made.suptitle(title, fontsize=9)
        return save(made, path, title)


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)


def _rows(anatomy: Anatomy) -> list[tuple[str, int, int, int, int]]:
    """(name, parameters, multiply-adds, memory, field) of each layer, or of the modules around them
    where there are too many.

    The field is 0 where it sees all or has none.
    """
    rows = [
        (organ.name, organ.parameters, organ.multiply_adds, organ.memory, _side(organ.field))
        for organ in anatomy.rows
    ]
    with_work = [row for row in rows if row[1] or row[2]]
    if len(with_work) <= MOST_ROWS:
        return with_work or rows[:MOST_ROWS]
    for depth in (3, 2, 1):
        summed: dict[str, tuple[int, int, int, int]] = {}
        for name, *numbers in rows:
            around = ".".join(name.split(".")[:depth])
            before = summed.get(around, (0, 0, 0, 0))
            summed[around] = (
                before[0] + numbers[0],
                before[1] + numbers[1],
                before[2] + numbers[2],
                max(before[3], numbers[3]),
            )
        found = [(name, *numbers) for name, numbers in summed.items() if numbers[0] or numbers[1]]
        if len(found) <= MOST_ROWS:
            return found
    return with_work[:MOST_ROWS]


def _side(field: tuple[int, int] | str | None) -> int:
    return field[0] if isinstance(field, tuple) else 0
