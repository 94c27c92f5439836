"""One copy of the data for all workers of a machine: written once, mapped into the memory of each."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from netwise.data.mapped import read_mapped, write_mapped
from netwise.data.source import ELSEWHERE, Samples
from netwise.recipe.checks import PREPARED, with_inputs_prepared
from netwise.recipe.recipe import Recipe

LEAST_BYTES = 1_000_000  # smaller data are loaded sooner than shared


@contextmanager
def shared_data(recipes: Sequence[Recipe], jobs: int) -> Iterator[str | None]:
    """Inside, a folder with the data of these recipes, loaded and preprocessed, for `found_data` in other processes; None where it would not pay."""
    pairs = list(dict.fromkeys((recipe.data, recipe.preprocess) for recipe in recipes)) if jobs > 1 else []
    if len(pairs) != 1 or _bytes(recipes[0].data.load()) < LEAST_BYTES:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="netwise-data-"))
    try:
        recipe = recipes[0]
        samples = recipe.data.load()
        write_mapped(samples, folder / "loaded.safetensors")
        if recipe.preprocess:
            done, learned = with_inputs_prepared(recipe, samples)
            write_mapped(done, folder / "prepared.safetensors", learned)
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # who has it mapped keeps it until he ends


@contextmanager
def found_data(recipe: Recipe, folder: str | None) -> Iterator[None]:
    """Inside, this process takes the recipe's data from the folder of `shared_data`, where it is there (on another machine it is not)."""
    if folder is None or not (Path(folder) / "loaded.safetensors").is_file():
        yield
        return
    loaded, prepared = Path(folder) / "loaded.safetensors", Path(folder) / "prepared.safetensors"
    ELSEWHERE[recipe.data] = partial(_loaded, loaded)
    key = (recipe.data, recipe.preprocess)
    if recipe.preprocess and prepared.is_file():
        PREPARED[key] = partial(read_mapped, prepared)
    try:
        yield
    finally:
        ELSEWHERE.pop(recipe.data, None)
        PREPARED.pop(key, None)


def _loaded(path: Path) -> Samples:
    return read_mapped(path)[0]


def _bytes(samples: Samples) -> int:
    return sum(part.x.numel() * part.x.element_size() for part in (samples.train, samples.valid, samples.test))
