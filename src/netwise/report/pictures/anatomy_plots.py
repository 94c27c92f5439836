"""A network's layers as bars: where its parameters, its work and its memory are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netwise.observe.anatomy import Anatomy
from netwise.report.pictures.drawing import BLUE, GREEN, GREY, ORANGE, figure, save

MOST_ROWS = 40  # that fit on a page
MOST_DEPTH = 3  # of the modules that layers are summed by, at first


@dataclass(frozen=True)
class _Bar:
    """One layer, or one module of layers.

    Args:
        name: dotted, in the module.
        parameters, multiply_adds: their numbers for one sample.
        memory: bytes of the outputs.
        field: rows of pixels that an output sees; 0 where it sees all or has no field.
    """

    name: str
    parameters: int
    multiply_adds: int
    memory: int
    field: int


def plot_anatomy(anatomy: Anatomy, path: str | Path) -> Path:
    """Draw the table of a network's layers as a picture.

    Layers without parameters or work are left out; more than forty are summed by the module that
    contains them.

    Args:
        anatomy: the table, as `describe` returns it.
        path: a file whose name ends in .png or .svg.

    Raises:
        ValueError: the name ends otherwise.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "mlp.svg"
        >>> nw.plot_anatomy(nw.describe(nw.MLP((64, 30, 10)), (64,)), path).name
        'mlp.svg'
    """
    from matplotlib.ticker import MaxNLocator  # heavy

    bars = _bars(anatomy)
    title = (
        f"{anatomy.parameters:,} parameters, {anatomy.multiply_adds:,} multiply-adds, "
        f"{anatomy.memory / 1024**2:,.1f} MiB per sample"
    )
    panels = [
        ("parameters", BLUE, [bar.parameters for bar in bars]),
        ("multiply-adds", ORANGE, [bar.multiply_adds for bar in bars]),
        ("memory of outputs, KiB", GREEN, [bar.memory / 1024 for bar in bars]),
        ("receptive field, rows of pixels", GREY, [bar.field for bar in bars]),
    ]
    if not any(bar.field for bar in bars):
        panels.pop()
    height, width = 0.9 + 0.2 * len(bars), 3.4 * len(panels)
    with figure(height=height, columns=len(panels), width=width, paper=True) as (made, axes):
        for place, (ax, (name, colour, values)) in enumerate(zip(axes[0], panels, strict=True)):
            ax.barh(range(len(bars)), values, color=colour)
            ax.set_title(name)
            ax.set_ylim(len(bars) - 0.4, -0.6)
            ax.grid(False, axis="y")
            names = [bar.name if place == 0 else "" for bar in bars]
            ax.set_yticks(range(len(bars)), names, fontsize=7)
            ax.xaxis.set_major_locator(MaxNLocator(4))
        made.suptitle(title, fontsize=9)
        return save(made, Path(path), title)


def _bars(anatomy: Anatomy) -> list[_Bar]:
    """Every layer with parameters or work, or the modules around them where there are too many."""
    layers = [
        _Bar(
            row.name,
            row.parameters,
            row.multiply_adds,
            row.memory,
            row.field[0] if isinstance(row.field, tuple) else 0,
        )
        for row in anatomy.rows
    ]
    working = [bar for bar in layers if bar.parameters or bar.multiply_adds]
    if len(working) <= MOST_ROWS:
        return working or layers[:MOST_ROWS]
    for depth in range(MOST_DEPTH, 0, -1):
        summed = [bar for bar in _sums(layers, depth) if bar.parameters or bar.multiply_adds]
        if len(summed) <= MOST_ROWS:
            return summed
    return working[:MOST_ROWS]


def _sums(layers: list[_Bar], depth: int) -> list[_Bar]:
    """Layers summed by the first `depth` words of their names; of fields the largest."""
    sums: dict[str, _Bar] = {}
    for layer in layers:
        name = ".".join(layer.name.split(".")[:depth])
        before = sums.get(name, _Bar(name, 0, 0, 0, 0))
        sums[name] = _Bar(
            name,
            before.parameters + layer.parameters,
            before.multiply_adds + layer.multiply_adds,
            before.memory + layer.memory,
            max(before.field, layer.field),
        )
    return list(sums.values())
