"""A network of two inputs in their plane: which class it answers where, and where the units of its
first layer switch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from netwise.module_modes import evaluation_mode
from netwise.observe.weighted_layers import layers_with_weights
from netwise.report.pictures.drawing import COLOURS, GREY, RED, figure, save

SIDE = 240  # points along each side of the map
MARGIN = 0.15  # around the samples, relative to their range
MOST_SAMPLES = 1000
MOST_LINES = 100  # of units


@dataclass(frozen=True)
class Hyperplane:
    """The line in the plane of two inputs on which the sum of a unit is 0: w · x + b = 0.

    Args:
        weight: of both inputs.
        bias: of the unit.
        active: share of the samples on its positive side. A ReLU with 0 is dead on them, one with 1
            is linear.

    Example:
        >>> import netwise as nw, torch
        >>> layer = torch.nn.Linear(2, 1)
        >>> _ = torch.nn.init.ones_(layer.weight), torch.nn.init.constant_(layer.bias, -9.0)
        >>> nw.hyperplanes(torch.nn.Sequential(layer, torch.nn.ReLU()), torch.rand(9, 2))[0].active
        0.0
    """

    weight: tuple[float, float]
    bias: float
    active: float


def hyperplanes(module: nn.Module, x: Tensor) -> tuple[Hyperplane, ...]:
    """The lines on which the units of the first layer switch.

    Args:
        module: whose first layer with weights takes two inputs.
        x: samples `(samples, 2)`.

    Raises:
        ValueError: another number of inputs, or a first layer that is not linear.

    Example:
        >>> import netwise as nw, torch
        >>> len(nw.hyperplanes(nw.MLP((2, 5, 2)).build(), torch.randn(10, 2)))
        5

    Source: Montufar, Pascanu, Cho, Bengio 2014, On the number of linear regions of deep neural
    networks.
    """
    _require_plane(x)
    layer = next((layer for _, layer in layers_with_weights(module)), None)
    if not isinstance(layer, nn.Linear) or layer.in_features != 2:
        raise ValueError(
            f"the first layer is {type(layer).__name__}, and lines can be drawn for nn.Linear of "
            "two inputs alone. Pass a network such as MLP((2, 8, 2))."
        )
    weight, bias = layer.weight.detach().cpu(), getattr(layer, "bias", None)
    offsets = torch.zeros(len(weight)) if bias is None else bias.detach().cpu()
    active = (x.float().cpu() @ weight.float().T + offsets > 0).float().mean(0)
    return tuple(
        Hyperplane((float(w[0]), float(w[1])), float(b), float(a))
        for w, b, a in zip(weight, offsets, active, strict=True)
    )


def plot_plane(module: nn.Module, x: Tensor, y: Tensor, path: str | Path) -> Path:
    """Draw the samples, the class that the network answers at each place, and the lines on which
    the units of its first layer switch. Lines of units that no sample activates (dead ones) are
    red.

    Args:
        module: takes `(samples, 2)`; one output, or one for each class.
        x: samples `(samples, 2)`; the first 1000 are drawn.
        y: their class numbers `(samples,)`.
        path: a file whose name ends in .png or .svg.

    Raises:
        ValueError: inputs of another shape, or another ending.

    Example:
        >>> import netwise as nw, torch, pathlib, tempfile
        >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
        >>> data = nw.data.arrays(x, (x.norm(dim=1) > 1.2).long().numpy())
        >>> run = nw.fit(nw.Recipe(data=data, network=nw.MLP((2, 8, 2)), epochs=3))
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "regions.svg"
        >>> nw.plot_plane(run.module, x, (x.norm(dim=1) > 1.2).long(), path).name
        'regions.svg'

    Source: Olah 2014, Neural networks, manifolds, and topology.
    """
    _require_plane(x)
    x, y = x[:MOST_SAMPLES].float().cpu(), y[:MOST_SAMPLES].cpu()
    margin = MARGIN * (x.amax(0) - x.amin(0)).clamp_min(1e-6)
    low, high = (x.amin(0) - margin).tolist(), (x.amax(0) + margin).tolist()
    across, up = (np.linspace(low[i], high[i], SIDE) for i in (0, 1))
    grid = torch.tensor(np.stack(np.meshgrid(across, up), 2).reshape(-1, 2), dtype=torch.float32)
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    with evaluation_mode(module), torch.no_grad():
        outputs = module(grid.to(device)).cpu()
    answers = outputs.argmax(1) if outputs.shape[-1] > 1 else (outputs.flatten() > _middle(outputs))
    with figure(3.6, width=4.4, paper=True) as (made, axes):
        axis = axes[0][0]
        answers = answers.reshape(SIDE, SIDE).long().numpy()
        from matplotlib.colors import ListedColormap  # heavy

        count = max(int(answers.max()), int(y.max()) if len(y) else 0) + 1
        shades = ListedColormap([COLOURS[i % len(COLOURS)] for i in range(count)])
        axis.imshow(
            answers,
            extent=(low[0], high[0], low[1], high[1]),
            origin="lower",
            aspect="auto",
            cmap=shades,
            vmin=-0.5,
            vmax=count - 0.5,
            alpha=0.25,
            interpolation="nearest",
        )
        for i in range(count):
            dots = x[y == i]
            axis.scatter(dots[:, 0], dots[:, 1], s=7, color=COLOURS[i % len(COLOURS)], zorder=3)
        for plane in _drawable(module, x):
            colour = RED if plane.active == 0 else GREY
            _draw_line(axis, plane, low, high, colour)
        axis.set_xlim(low[0], high[0])
        axis.set_ylim(low[1], high[1])
        axis.grid(False)
        axis.set_title("Answers, and lines of the first layer's units")
        return save(made, Path(path), "Answers in the plane of the inputs")


def _middle(outputs: Tensor) -> float:
    """What separates the two answers of one output: 0.5 of probabilities, 0 of logits."""
    return 0.5 if float(outputs.min()) >= 0 and float(outputs.max()) <= 1 else 0.0


def _drawable(module: nn.Module, x: Tensor) -> tuple[Hyperplane, ...]:
    """The lines of the first layer where it has some: other layers have curves or none."""
    try:
        return hyperplanes(module, x)[:MOST_LINES]
    except ValueError:
        return ()


def _draw_line(
    axis: object, plane: Hyperplane, low: list[float], high: list[float], colour: str
) -> None:
    """The line inside the drawn part of the plane."""
    (a, b), c = plane.weight, plane.bias
    if a == b == 0:
        return
    if abs(b) >= abs(a):
        ends = [(u, -(a * u + c) / b) for u in (low[0], high[0])]
    else:
        ends = [(-(b * v + c) / a, v) for v in (low[1], high[1])]
    draw = getattr(axis, "plot")  # noqa: B009  # matplotlib has no types
    draw(*zip(*ends, strict=True), color=colour, linewidth=0.8, zorder=2)


def _require_plane(x: Tensor) -> None:
    if x.dim() != 2 or x.shape[1] != 2:
        raise ValueError(
            f"x has the shape {tuple(x.shape)}, and only a plane of two inputs can be drawn. "
            "Pass x of shape (samples, 2), and a network that takes it."
        )
