"""A network with two inputs as a chain of maps of the plane: where each layer takes a grid, and the
samples on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from netwise.module_modes import evaluation_mode
from netwise.parts.activations import ACTIVATION_MODULES
from netwise.report.pictures.drawing import COLOURS, figure, save

LINES, POINTS = 21, 120  # of the grid: lines in each direction, points of a line
MOST_SAMPLES = 500
MARGIN = 0.1  # of the grid around the samples, relative to their range
_GRID_COLOUR = "#9aa5b1"


def plot_transforms(module: nn.Module, x: Tensor, y: Tensor, path: str | Path) -> Path:
    """Draw where each activation of a network with two inputs takes the plane.

    The first panel is the plane itself with a grid over the samples; each further one the same grid
    and samples after one more layer. Layers of more than two units are projected on the two
    principal directions of the samples there.

    Args:
        module: takes `(samples, 2)`.
        x: samples `(samples, 2)`; the first 500 are drawn.
        y: their class numbers `(samples,)`.
        path: a file whose name ends in .png or .svg.

    Raises:
        ValueError: inputs of another shape, or another ending.

    Example:
        >>> import netwise as nw, torch, pathlib, tempfile
        >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
        >>> y = (x.norm(dim=1) > 1.2).long()
        >>> network = nw.MLP((2, 8, 2, 2), activation=nw.Tanh())
        >>> data = nw.data.arrays(x, y.numpy())
        >>> run = nw.fit(nw.Recipe(data=data, network=network, epochs=3))
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "plane.png"
        >>> nw.plot_transforms(run.module, x, y, path).suffix
        '.png'

    Source: Olah 2014, Neural networks, manifolds, and topology.
    """
    if x.dim() != 2 or x.shape[1] != 2:
        raise ValueError(
            f"x has the shape {tuple(x.shape)}, and only a plane of two inputs can be drawn. "
            "Pass x of shape (samples, 2), and a network that takes it."
        )
    x, y = x[:MOST_SAMPLES].float(), y[:MOST_SAMPLES]
    margin = MARGIN * (x.amax(0) - x.amin(0))
    grid = _grid(x.amin(0) - margin, x.amax(0) + margin)
    points = torch.cat([grid, x])
    stages = [("inputs", points), *_stages(module, points)]
    size = 2.9
    with figure(size, columns=len(stages), width=size * len(stages), paper=True) as (made, axes):
        for ax, (name, values) in zip(axes[0], stages, strict=True):
            lines, dots = _as_planes(values, len(grid))
            for line in lines.reshape(2 * LINES, POINTS, 2):
                ax.plot(line[:, 0], line[:, 1], color=_GRID_COLOUR, linewidth=0.6, zorder=1)
            for i, number in enumerate(sorted(set(y.tolist()))):
                colour = COLOURS[i % len(COLOURS)]
                ax.scatter(*dots[y == number].T, s=7, color=colour, zorder=2)
            ax.set_title(name)
            ax.grid(False)
            ax.set_xticks([])
            ax.set_yticks([])
            ax.spines[:].set_visible(False)
        return save(made, Path(path), "Where each layer takes the plane")


def _grid(low: Tensor, high: Tensor) -> Tensor:
    """Points of horizontal lines, then of vertical ones, between two corners: `(2 * LINES * POINTS,
    2)`."""
    along = torch.linspace(0, 1, POINTS)
    steps = torch.linspace(0, 1, LINES)
    horizontal = torch.stack([along.expand(LINES, POINTS), steps[:, None].expand(LINES, POINTS)], 2)
    unit = torch.cat([horizontal, horizontal.flip(2)]).reshape(-1, 2)
    return low + unit * (high - low)


def _stages(module: nn.Module, points: Tensor) -> list[tuple[str, Tensor]]:
    """(name, values) of each activation's output, and of the network's, in evaluation mode."""
    stages: list[tuple[str, Tensor]] = []
    names = {layer: name for name, layer in module.named_modules()}

    def record(layer: nn.Module, args: object, output: Any) -> None:
        stages.append((f"after {names[layer]}", output.detach()))

    handles = [
        layer.register_forward_hook(record)
        for layer in module.modules()
        if type(layer).__name__ in ACTIVATION_MODULES
    ]
    try:
        with evaluation_mode(module), torch.no_grad():
            output = module(points)
    finally:
        for handle in handles:
            handle.remove()
    # An ensemble computes each row several times; its layers have no single picture.
    return [*[stage for stage in stages if len(stage[1]) == len(points)], ("outputs", output)]


def _as_planes(values: Tensor, grid_points: int) -> tuple[np.ndarray, np.ndarray]:
    """(grid, samples) in two dimensions: as they are, or projected on the two principal directions
    of the samples.

    Args:
        values: `(grid points + samples, units)`.
        grid_points: how many of the rows are points of the grid.
    """
    if values.shape[1] == 1:
        values = torch.cat([values, torch.zeros_like(values)], 1)
    if values.shape[1] > 2:
        centre = values[grid_points:].mean(0)
        directions = torch.linalg.svd(values[grid_points:] - centre, full_matrices=False)[2][:2]
        values = (values - centre) @ directions.T
    return values[:grid_points].numpy(), values[grid_points:].numpy()
