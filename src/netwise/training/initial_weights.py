"""The weights that a run starts from: drawn, taken from another run, or fitted to training
inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from torch import Tensor, nn

from netwise import random_streams, signals
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.parts.initializers import initialize
from netwise.recipe.origin import From, load_matching, read_weights
from netwise.recipe.recipe import Recipe
from netwise.storage.layout import is_run
from netwise.storage.run_folder import RunFolder
from netwise.training.evaluate import outputs_of
from netwise.training.run import module_weights

START_SAMPLES = 256  # of which outputs are compared before the first step
Train = Callable[[Recipe], dict[str, Tensor]]


def initialize_weights(
    module: nn.Module, recipe: Recipe, x: Tensor, y: Tensor, train: Train
) -> None:
    """Give a new module the weights that its recipe starts from.

    Args:
        module: just built.
        recipe: with the initializer.
        x, y: inputs and targets of the training part.
        train: gives the tensors of the module that a recipe trains, for `From(recipe)`.
    """
    init = recipe.init
    generator = random_streams.generator(recipe.seed, random_streams.INIT, step=1)
    initialize(module, init.rest if isinstance(init, From) else init, generator, x)
    if isinstance(module, UnsupervisedModule):
        with random_streams.global_seed(recipe.seed, random_streams.INIT, epoch=2):
            module.initialize_from_data(x, y)
    if isinstance(init, From):
        load_matching(module, init, origin_tensors(init, train))


def start_signals(module: nn.Module, recipe: Recipe, x: Tensor, y: Tensor) -> dict[str, float]:
    """For a network with copied weights, how far its outputs vary over the samples of a batch, and
    by how much they would with drawn weights; {} for all others.

    Args:
        module: with its first weights.
        recipe: that it starts from.
        x, y: inputs and targets of the training part.
    """
    init = recipe.init
    if not isinstance(init, From) or isinstance(module, UnsupervisedModule) or len(x) < 2:
        return {}
    with random_streams.global_seed(recipe.seed, random_streams.INIT):
        drawn = recipe.network.build()
    drawn_recipe = recipe.but(init=init.rest)
    initialize_weights(drawn, drawn_recipe, x.cpu(), y.cpu(), lambda recipe: {})
    few = x[:START_SAMPLES]
    variations = (_variation(module, few), _variation(drawn, few.cpu()))
    if None in variations:
        return {}
    names = (signals.COPIED_VARIATION, signals.DRAWN_VARIATION)
    return {name: float(v or 0.0) for name, v in zip(names, variations, strict=True)}


def _variation(module: nn.Module, x: Tensor) -> float | None:
    """Root mean square deviation of the outputs from their mean over the samples; None where they
    are no finite numbers."""
    outputs = outputs_of(module, x).double()
    value = float((outputs - outputs.mean(0)).square().mean().sqrt())
    return value if math.isfinite(value) else None


def origin_tensors(init: From, train: Train) -> dict[str, Tensor]:
    """The tensors that `init` takes weights from: those of a run folder, of a file, or of a recipe
    that is trained for them."""
    if init.recipe is not None:
        return train(init.recipe)
    path = Path(init.path or "")
    if not is_run(path):
        return read_weights(path)
    return module_weights(RunFolder.open(path).weights())
