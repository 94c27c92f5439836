"""The first weights of a network before training: the size of outputs and gradients of each layer,
on one batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.errors import WrongValue
from netwise.observe.hooked_probe import HookedProbe
from netwise.random_streams import INIT, global_seed
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.training.fit import initialize
from netwise.training.run import set_module_loss


@dataclass(frozen=True)
class LayerStart:
    """One layer before training. Sizes are standard deviations.

    Args:
        layer: its name.
        weight: size of its weights.
        output: size of its outputs, before the activation.
        gradient: size of the gradient of the loss with respect to its weights.
        silent: share of exact zeros in the outputs of its activation; None for the last layer.

    Example:
        >>> import netwise as nw
        >>> nw.LayerStart("layer1", weight=0.1, output=1.0, gradient=0.01, silent=0.5).layer
        'layer1'
    """

    layer: str
    weight: float
    output: float
    gradient: float
    silent: float | None


def measure_initial_state(recipe: Recipe, *, samples: int = 256) -> tuple[LayerStart, ...]:
    """Standard deviations of the weights, outputs and gradients of each layer, on one batch, before
    the first step.

    With good first weights, outputs and gradients have the same size in all layers. Where they
    shrink or grow from one layer to the next, they do so exponentially with the depth.

    Args:
        recipe: with the network and the initializer; nothing is trained.
        samples: of the batch, at least 2. Default 256: enough for two digits.

    Example:
        >>> import netwise as nw
        >>> network = nw.MLP((64, 50, 50, 50, 10))
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=network, init=nw.Normal(std=0.01))
        >>> small = nw.measure_initial_state(recipe)
        >>> small[-1].output < 0.001 * small[0].output  # nearly 0 after three layers
        True
        >>> good = nw.measure_initial_state(recipe.but(init=nw.He()))
        >>> good[-1].output > 0.1 * good[0].output
        True

    Raises:
        WrongValue: the network is an energy model or a memory.

    Source: Glorot, Bengio 2010, AISTATS; He, Zhang, Ren, Sun 2015, arXiv 1502.01852.
    """
    if recipe.network.is_memory or recipe.network.is_energy_model:
        name = type(recipe.network).__name__
        reason = "has no forward pass through layers, whose outputs could grow or shrink"
        raise WrongValue.of("start", "network", name, reason, "MLP((64, 30, 10))")
    data = prepare(recipe).samples
    with torch.random.fork_rng():
        with global_seed(recipe.seed, INIT):
            module = recipe.network.build()
        set_module_loss(module, recipe)
        initialize(module, recipe, data.train.x, data.train.y)
        rows = max(2, samples)
        return _measure_layers(recipe, module, data.train.x[:rows], data.train.y[:rows])


def _measure_layers(
    recipe: Recipe, module: nn.Module, x: Tensor, y: Tensor
) -> tuple[LayerStart, ...]:
    """Measure one forward and one backward pass."""
    outputs: dict[str, float] = {}
    names = {layer: name for name, layer in module.named_modules()}

    def measure_output(layer: nn.Module, args: object, output: object) -> None:
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, Tensor):
            outputs.setdefault(names[layer], float(first.detach().std()))

    handles = [
        layer.register_forward_hook(measure_output)
        for layer in module.modules()
        if not list(layer.children())
    ]
    module.train()
    probe = HookedProbe(module)
    probe.attach()
    output = module(x)
    output = output[0] if isinstance(output, tuple) else output
    loss = recipe.loss.build()(output, y)
    loss.backward()
    probe.record(loss.detach(), y, None)
    row = probe.finish_step() or {}
    probe.detach()
    for handle in handles:
        handle.remove()
    starts = []
    for layer in probe.layers:
        weights = [p for p in _own_parameters(module, layer.name) if p.dim() > 1]
        starts.append(
            LayerStart(
                layer=layer.name,
                weight=_deviation([p.detach() for p in weights]),
                output=outputs.get(layer.name, 0.0),
                gradient=_deviation([p.grad for p in weights if p.grad is not None]),
                silent=row.get(f"{signals.ACTIVATION_ZEROS}|{layer.name}"),
            )
        )
    return tuple(starts)


def _own_parameters(module: nn.Module, name: str) -> list[nn.Parameter]:
    """The parameters of one layer; none where no layer has this name."""
    layer = dict(module.named_modules()).get(name)
    return [] if layer is None else list(layer.parameters(recurse=False))


def _deviation(tensors: list[Tensor]) -> float:
    """Standard deviation of all values of these tensors; 0 for less than two values."""
    values = torch.cat([tensor.flatten() for tensor in tensors]) if tensors else torch.zeros(0)
    return float(values.std()) if len(values) > 1 else 0.0


def initial_state_table(rows: tuple[LayerStart, ...]) -> str:
    """The layers as a text table.

    Example:
        >>> import netwise as nw
        >>> layer = nw.LayerStart("layer1", weight=0.1, output=1.0, gradient=0.01, silent=0.5)
        >>> print(nw.initial_state_table((layer,)))
        layer   weights  outputs  gradients  silent
        layer1      0.1        1       0.01    50 %
    """
    cells = [("layer", "weights", "outputs", "gradients", "silent")]
    for row in rows:
        silent = "" if row.silent is None else f"{100 * row.silent:.0f} %"
        cells.append(
            (row.layer, f"{row.weight:.3g}", f"{row.output:.3g}", f"{row.gradient:.3g}", silent)
        )
    widths = [max(len(row[i]) for row in cells) for i in range(5)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in cells
    )
