"""One copy of the data for all workers of a machine: written to a file once, and mapped into the
memory of each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from netwise.atomic import delete_folder
from netwise.data.dataset import Data, Samples, provide_data
from netwise.data.lazy_rows import are_lazy
from netwise.data.mapped_file import read_mapped, write_mapped
from netwise.parts.preprocess import Fitted, Preprocess
from netwise.recipe.prepared import preprocessed
from netwise.recipe.recipe import Recipe

LOADED, PREPROCESSED = "loaded.safetensors", "preprocessed.safetensors"
LEAST_BYTES = 1_000_000  # loading smaller data is faster than sharing them


@contextmanager
def share_data(recipes: Sequence[Recipe], jobs: int) -> Iterator[str | None]:
    """Inside, a folder with the data of these recipes, for `use_shared_data` in other processes.

    The recipes use one data set, or views of one. Where they use the same view with the same
    preprocessing, the preprocessed samples are in the folder too.

    Gives the folder, or None where the data differ or are small, or `jobs` is 1.
    """
    data_sets = {recipe.data.innermost for recipe in recipes} if jobs > 1 else set()
    samples = next(iter(data_sets)).load() if len(data_sets) == 1 else None
    # Pictures that are kept as bytes lie in a file of the cache, which all processes share.
    if samples is None or are_lazy(samples.train.x) or _bytes(samples) < LEAST_BYTES:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="netwise-data-"))
    try:
        write_mapped(samples, folder / LOADED)
        recipe = recipes[0]
        equal = len({(each.data, each.preprocess) for each in recipes}) == 1
        if equal and (recipe.preprocess or recipe.data not in data_sets):
            inputs, fitted = preprocessed(recipe, recipe.data.load())
            write_mapped(inputs, folder / PREPROCESSED, fitted)
        yield str(folder)
    finally:
        # Processes that have mapped the files keep their pages.
        delete_folder(folder)


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
        path = self.folder / PREPROCESSED
        if (data, steps) != (self.data, self.steps) or not path.is_file():
            return None
        return read_mapped(path)


def without_arrays(recipe: Recipe) -> Recipe:
    """The recipe without in-memory arrays, for workers that map the shared data. It is equal to the
    recipe with them: arrays are compared by their digest."""
    return recipe.but(data=recipe.data.without_arrays())


def _bytes(samples: Samples) -> int:
    return sum(
        part.x.numel() * part.x.element_size()
        for part in (samples.train, samples.valid, samples.test)
    )
