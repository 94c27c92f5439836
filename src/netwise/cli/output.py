"""What commands print and write, and where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.cli.parsing import called
from netwise.errors import DataError

if TYPE_CHECKING:
    from netwise.recipe.recipe import Recipe


def echo_json(value: Any) -> None:
    """One JSON document on stdout."""
    from netwise.storage.layout import strict_json

    click.echo(json.dumps(strict_json(value), indent=1))


PICTURES, SCRIPTS = (".png", ".svg"), (".py", ".txt", "")


def never_over(path: Path, endings: tuple[str, ...]) -> None:
    """A file that somebody made is not written over, and one that could not be written is told
    before the work."""
    if path.exists():
        raise DataError(f"{path} is there already: name another file")
    if path.suffix not in endings:
        raise DataError(
            f"{path}: its name has to end in {' or '.join(ending for ending in endings if ending)}"
        )


def network_table(recipe: Recipe, shape: tuple[int, ...]) -> str:
    """The table of the layers of a recipe's network, for inputs of one shape."""
    from netwise.observe.anatomy import describe

    return str(describe(recipe.network, shape))


@contextmanager
def fresh_folder(recipe: Recipe, home: Path, ending: str = "") -> Iterator[Path]:
    """A new folder for a run of `recipe`; taken away again where nothing came into it."""
    from netwise.storage.layout import new_folder

    folder = new_folder(home, f"{called(recipe)}-{recipe.hash[:4]}{ending}")
    try:
        yield folder
    except BaseException:
        if not any(folder.iterdir()):
            folder.rmdir()
        raise
