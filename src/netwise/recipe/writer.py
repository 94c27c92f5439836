"""Recipes to TOML files."""

from __future__ import annotations

from pathlib import Path

from netwise.atomic import write_atomically
from netwise.data import Arrays
from netwise.errors import WrongValue
from netwise.recipe.array_file import ARRAYS_FILE, write_arrays
from netwise.recipe.origin import From
from netwise.recipe.plain import toml_of
from netwise.recipe.recipe import Recipe


def recipe_text(recipe: Recipe) -> str:
    """The recipe as TOML: every field, so that a change of a default changes no stored run.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> nw.recipe_text(recipe).splitlines()[0]
        'batch_size = 64'
    """
    return toml_of(recipe)


def write_recipe(recipe: Recipe, path: str | Path) -> None:
    """Write the recipe as TOML, atomically; arrays in memory go to `data.safetensors` beside it.

    Raises:
        WrongValue: weights come from a recipe that holds arrays: the file beside this recipe is for
            its own arrays. Or the data come from an object in Python, which no file can hold.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "recipe.toml"
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> nw.write_recipe(recipe, path)
        >>> nw.read_recipe(path) == recipe
        True
    """
    made_by = recipe.data.innermost.made_in_python
    if made_by:
        reason = (
            "is an object in Python, which no file can hold: write its samples to .npy or Parquet "
            "files and name these, or keep the code that makes the recipe; the folder of a run is "
            "continued by resume(folder, data=...)"
        )
        raise WrongValue.of("recipe", "data", made_by, reason, 'data.stream("x.parquet", "price")')
    write_run_recipe(recipe, path)


def write_run_recipe(recipe: Recipe, path: str | Path) -> None:
    """`write_recipe` for the folder of a run: data from an object in Python are only named."""
    path = Path(path)
    first = recipe.init.recipe if isinstance(recipe.init, From) else None
    if first is not None and isinstance(first.data.innermost, Arrays):
        reason = (
            "holds arrays in memory, and one recipe file has room for the arrays of its own data "
            "only: train the first recipe into a folder and use init=From(folder)"
        )
        raise WrongValue.of("recipe", "init.recipe.data", "arrays", reason)
    data = recipe.data.innermost
    if isinstance(data, Arrays):
        write_arrays(data, path.with_name(ARRAYS_FILE))
    write_atomically(path, recipe_text(recipe))
