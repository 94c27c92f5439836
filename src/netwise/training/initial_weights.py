"""The weights that a run starts from: drawn, taken from another run, or fitted to training
inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import Tensor, nn

from netwise import random_streams
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.parts.initializers import initialize
from netwise.recipe.origin import From, load_matching, read_weights
from netwise.recipe.recipe import Recipe
from netwise.storage.layout import is_run
from netwise.storage.run_folder import RunFolder
from netwise.training.run import module_weights

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


def origin_tensors(init: From, train: Train) -> dict[str, Tensor]:
    """The tensors that `init` takes weights from: those of a run folder, of a file, or of a recipe
    that is trained for them."""
    if init.recipe is not None:
        return train(init.recipe)
    path = Path(init.path or "")
    if not is_run(path):
        return read_weights(path)
    return module_weights(RunFolder.open(path).weights())
