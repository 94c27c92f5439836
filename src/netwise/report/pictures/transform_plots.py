"""A network as a chain of maps of the plane: what each layer makes of a grid, and of the samples on
it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from netwise.module_modes import evaluation_mode
from netwise.parts.activations import ACTIVATION_MODULES
from netwise.report.pictures.drawing import COLOURS, figure, save

LINES, POINTS = 21, 120  # of the grid: lines each way, points of a line
MOST_SAMPLES = 500


def plot_transforms(module: nn.Module, x: Tensor, y: Tensor, path: str | Path) -> Path:
    """Draw what each activation of a network with two inputs makes of the plane, as `.png` or
    `.svg` by the ending of `path`.

    The first panel is the plane itself with a grid over the samples; each further one the same grid
    and samples after one more layer. Layers of more than two units are seen along the two
    directions in which the samples spread most there.

    Args:
        module: takes (samples, 2).
        x: samples (samples, 2).
        y: their class numbers (samples,).
        path: where to.

    Raises:
        ValueError: inputs that are not of the plane, or another ending.

    Example:
        >>> import netwise as nw, torch, pathlib, tempfile
        >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
        >>> run = nw.fit(nw.Recipe(data=nw.data.arrays(x, (x.norm(dim=1) > 1.2).long().numpy()), network=nw.MLP((2, 8, 2, 2), activation=nw.Tanh()), epochs=3))
        >>> nw.plot_transforms(run.module, x, (x.norm(dim=1) > 1.2).long(), pathlib.Path(tempfile.mkdtemp()) / "plane.png").suffix
        '.png'

    Source: Olah 2014, Neural networks, manifolds, and topology; note 000, claims N19 and V01.
    """
    if x.dim() != 2 or x.shape[1] != 2:
        raise ValueError(f"x is {tuple(x.shape)}: the plane has two coordinates, (samples, 2)")
    x, y = x[:MOST_SAMPLES].float(), y[:MOST_SAMPLES]
    low, high = x.amin(0) - 0.1 * (x.amax(0) - x.amin(0)), x.amax(0) + 0.1 * (x.amax(0) - x.amin(0))
    grid = _grid(low, high)
    stages = [("the plane", torch.cat([grid, x]))]
    stages += _stages(module, torch.cat([grid, x]))
    with figure(height=2.9, columns=len(stages), width=2.9 * len(stages), paper=True) as (
        made,
        axes,
    ):
        for ax, (name, values) in zip(axes[0], stages, strict=True):
            lines, dots = _seen(values, len(grid))
            for line in lines.reshape(2 * LINES, POINTS, 2):
                ax.plot(line[:, 0], line[:, 1], color="#9aa5b1", linewidth=0.6, zorder=1)
            for i, kind in enumerate(sorted(set(y.tolist()))):
                ax.scatter(*dots[y == kind].T, s=7, color=COLOURS[i % len(COLOURS)], zorder=2)
            ax.set_title(name)
            ax.grid(False)
            ax.set_xticks([])
            ax.set_yticks([])
            ax.spines[:].set_visible(False)
        return save(made, Path(path), "What each layer makes of the plane")


def _grid(low: Tensor, high: Tensor) -> Tensor:
    """(lines * points, 2): lines across, then lines down."""
    along = torch.linspace(0, 1, POINTS)
    steps = torch.linspace(0, 1, LINES)
    across = torch.stack([along.expand(LINES, POINTS), steps[:, None].expand(LINES, POINTS)], 2)
    whole = torch.cat([across, across.flip(2)]).reshape(-1, 2)
    return low + whole * (high - low)


def _stages(module: nn.Module, points: Tensor) -> list[tuple[str, Tensor]]:
    """What each activation gives, and the output, for the points; by forward hooks, in
    evaluation."""
    found: list[tuple[str, Tensor]] = []
    names = {layer: name for name, layer in module.named_modules()}

    def keep(layer: nn.Module, args: object, output: Any) -> None:
        found.append((f"after {names[layer]}", output.detach()))

    handles = [
        layer.register_forward_hook(keep)
        for layer in module.modules()
        if type(layer).__name__ in ACTIVATION_MODULES
    ]
    try:
        with evaluation_mode(module), torch.no_grad():
            output = module(points)
    finally:
        for handle in handles:
            handle.remove()
    return [*found, ("the output", output)]


def _seen(values: Tensor, grid: int) -> tuple[Any, Any]:
    """(grid, samples) in two dimensions: as they are, or along the directions of greatest spread of
    the samples."""
    if values.shape[1] == 1:
        values = torch.cat([values, torch.zeros_like(values)], 1)
    if values.shape[1] > 2:
        centre = values[grid:].mean(0)
        directions = torch.linalg.svd(values[grid:] - centre, full_matrices=False)[2][:2]
        values = (values - centre) @ directions.T
    return values[:grid].numpy(), values[grid:].numpy()
