"""What a start does to a network before training: how large its outputs and gradients are, layer by
layer, on one batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from netwise import signals
from netwise.errors import Problem, WrongValue
from netwise.observe.probe import Probe
from netwise.random_streams import INIT, global_seed
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.training.fit import initialize
from netwise.training.run import set_module_loss


@dataclass(frozen=True)
class LayerStart:
    """One layer before training.

    Args:
        layer: its name.
        weight: spread of its weights.
        output: spread of what it gives, before the activation.
        gradient: spread of the loss's gradient by its weights.
        silent: share of exact zeros in what the activation makes of it; None for the last layer.

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
    """Each layer's spread of weights, outputs and gradients, on one batch, before the first step.

    A good start has outputs and gradients of the same size in all layers: outputs that fade or grow
    from layer to layer do so again with every layer more.

    Args:
        recipe: what would be trained; nothing is.
        samples: of the batch, at least 2. Default 256.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 50, 50, 50, 10)), init=nw.Normal(std=0.01))
        >>> small = nw.measure_initial_state(recipe)
        >>> small[-1].output < 0.001 * small[0].output  # the signal is gone after three layers
        True
        >>> good = nw.measure_initial_state(recipe.but(init=nw.He()))
        >>> good[-1].output > 0.1 * good[0].output
        True

    Source: note 000, claims I05 and I06; Glorot, Bengio 2010.
    """
    if recipe.network.is_memory or recipe.network.is_energy_model:
        told = "starts at the means of its inputs: there is no way through it whose size could grow or fade"
        raise WrongValue("start", [Problem("network", type(recipe.network).__name__, told)])
    data = prepare(recipe).samples
    with torch.random.fork_rng():
        with global_seed(recipe.seed, INIT):
            module = recipe.network.build()
        set_module_loss(module, recipe)
        initialize(module, recipe, data.train.x, data.train.y)
        return _looked(
            recipe, module, data.train.x[: max(2, samples)], data.train.y[: max(2, samples)]
        )


def _looked(
    recipe: Recipe, module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor
) -> tuple[LayerStart, ...]:
    outputs: dict[str, float] = {}
    names = {layer: name for name, layer in module.named_modules()}

    def look(layer: torch.nn.Module, args: object, output: object) -> None:
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, torch.Tensor):
            outputs.setdefault(names[layer], float(first.detach().std()))

    handles = [
        layer.register_forward_hook(look)
        for layer in module.modules()
        if not list(layer.children())
    ]
    module.train()
    probe = Probe(module)
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
    found = []
    for layer in probe.layers:
        own = (
            [p for p in module.get_submodule(layer.name).parameters(recurse=False) if p.dim() > 1]
            if layer.name in names.values()
            else []
        )
        gradient = (
            torch.cat([p.grad.flatten() for p in own if p.grad is not None])
            if own
            else torch.zeros(0)
        )
        weight = torch.cat([p.detach().flatten() for p in own]) if own else torch.zeros(0)
        silent = row.get(f"{signals.ACTIVATION_ZEROS}|{layer.name}")
        spread = float(gradient.std()) if len(gradient) > 1 else 0.0
        found.append(
            LayerStart(
                layer.name,
                float(weight.std()) if len(weight) > 1 else 0.0,
                outputs.get(layer.name, 0.0),
                spread,
                silent,
            )
        )
    return tuple(found)


def initial_state_table(rows: tuple[LayerStart, ...]) -> str:
    """The rows as a table.

    Example:
        >>> import netwise as nw
        >>> print(nw.initial_state_table((nw.LayerStart("layer1", weight=0.1, output=1.0, gradient=0.01, silent=0.5),)))
        layer   weights  outputs  gradients  silent
        layer1      0.1        1       0.01    50 %
    """
    cells = [("layer", "weights", "outputs", "gradients", "silent")]
    for row in rows:
        silent = "" if row.silent is None else f"{100 * row.silent:.0f} %"
        cells.append(
            (row.layer, f"{row.weight:.3g}", f"{row.output:.3g}", f"{row.gradient:.3g}", silent)
        )
    wide = [max(len(row[i]) for row in cells) for i in range(5)]
    return "\n".join(
        f"{row[0]:<{wide[0]}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], wide[1:], strict=True))
        for row in cells
    )
