"""Where a run's weights begin: drawn, taken from another run, or fitted to training inputs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from torch import Tensor, nn

from netwise import random_streams
from netwise.errors import RunFolderError
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.parts.initializers import initialize
from netwise.recipe.origin import From, load_matching, read_weights
from netwise.recipe.recipe import Recipe
from netwise.storage.layout import RECIPE
from netwise.storage.run_folder import RunFolder
from netwise.training.run import module_weights


def begin(module: nn.Module, recipe: Recipe, x: Tensor, y: Tensor) -> None:
    """Give the fresh `module` the weights that the recipe says; `x` and `y` are the training
    part."""
    init, generator = (
        recipe.init,
        random_streams.generator(recipe.seed, random_streams.INIT, step=1),
    )
    if not isinstance(init, From):
        initialize(module, init, generator, x)
    else:
        initialize(module, init.rest, generator, x)
    if isinstance(module, UnsupervisedModule):
        with random_streams.global_seed(recipe.seed, random_streams.INIT, epoch=2):
            module.initialize_from_data(x, y)
    if isinstance(init, From):
        load_matching(module, init, tensors_of(init))


def tensors_of(init: From) -> dict[str, Tensor]:
    """The weights that `init` speaks of; a recipe is trained for them, once."""
    if init.recipe is not None:
        return _trained(init.recipe)
    path = Path(init.path or "")
    if not (path / RECIPE).is_file():
        return read_weights(path)
    return module_weights(RunFolder.open(path).weights())


@lru_cache(maxsize=4)
def _trained(recipe: Recipe) -> dict[str, Tensor]:
    from netwise.history import DIVERGED, INTERRUPTED
    from netwise.training.fit import fit

    run = fit(recipe, test=False)
    if run.history.ended.how == INTERRUPTED:
        raise KeyboardInterrupt
    if run.history.ended.how == DIVERGED:
        raise RunFolderError(
            f"the recipe whose weights are to be taken diverged: {run.history.ended.sentence}"
        )
    return {
        name: value for name, value in run.module.state_dict().items() if isinstance(value, Tensor)
    }
