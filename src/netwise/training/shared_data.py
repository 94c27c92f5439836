"""One copy of the data for all workers of a machine: written once, mapped into the memory of
each."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from netwise.data.dataset import Data, Samples, provide_data
from netwise.data.mapped_file import read_mapped, write_mapped
from netwise.parts.preprocess import Fitted, Preprocess
from netwise.recipe.prepared import preprocessed
from netwise.recipe.recipe import Recipe

LOADED, READY = "loaded.safetensors", "ready.safetensors"
LEAST_BYTES = 1_000_000  # smaller data are loaded sooner than shared


@contextmanager
def share_data(recipes: Sequence[Recipe], jobs: int) -> Iterator[str | None]:
    """Inside, a folder for `use_shared_data` in other processes, with the data of which these recipes
    see all or a part; None where it would not pay.

    Where they see the same of it, after the same preprocessing, that is in the folder too.
    """
    wholes = {recipe.data.innermost for recipe in recipes} if jobs > 1 else set()
    if len(wholes) != 1 or _bytes(samples := next(iter(wholes)).load()) < LEAST_BYTES:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="netwise-data-"))
    try:
        write_mapped(samples, folder / LOADED)
        recipe = recipes[0]
        alike = len({(each.data, each.preprocess) for each in recipes}) == 1
        if alike and (recipe.preprocess or recipe.data not in wholes):
            done, learned = preprocessed(recipe, recipe.data.load())
            write_mapped(done, folder / READY, learned)
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # who has it mapped keeps it until he ends


@contextmanager
def use_shared_data(recipe: Recipe, folder: str | None) -> Iterator[bool]:
    """Inside, this process takes the recipe's data from the folder of `share_data`.

    Gives whether the folder exists: on another machine it does not.
    """
    if folder is None or not (Path(folder) / LOADED).is_file():
        yield False
        return
    with provide_data(SharedData(Path(folder), recipe.data, recipe.preprocess)):
        yield True


@dataclass(frozen=True)
class SharedData:
    """The data of one recipe in the folder that `share_data` made.

    Args:
        folder: holds the file of the loaded data, and maybe one of the preprocessed data.
        data: of the recipe; the loaded file has the data below all its views.
        steps: the preprocessing of the preprocessed file.
    """

    folder: Path
    data: Data
    steps: tuple[Preprocess, ...]

    def loaded(self, data: Data) -> Samples | None:
        return read_mapped(self.folder / LOADED)[0] if data == self.data.innermost else None

    def preprocessed(
        self, data: Data, steps: tuple[Preprocess, ...]
    ) -> tuple[Samples, tuple[Fitted, ...]] | None:
        path = self.folder / READY
        if (data, steps) != (self.data, self.steps) or not path.is_file():
            return None
        return read_mapped(path)


def without_arrays(recipe: Recipe) -> Recipe:
    """The recipe to be sent to who finds its data: arrays in memory stay behind, and are known by
    their digest."""
    return recipe.but(data=recipe.data.without_arrays())


def _bytes(samples: Samples) -> int:
    return sum(
        part.x.numel() * part.x.element_size()
        for part in (samples.train, samples.valid, samples.test)
    )
