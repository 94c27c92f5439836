"""What commands print and write, and where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netwise.atomic import delete_empty_folder
from netwise.cli.terminal import echo
from netwise.errors import DataError
from netwise.printed_text import one_line
from netwise.storage.layout import new_folder, strict_json

if TYPE_CHECKING:
    from netwise.recipe.recipe import Recipe

PICTURES, SCRIPTS = (".png", ".svg"), (".py", ".txt", "")


def echo_json(value: Any) -> None:
    """Print one JSON document to stdout."""
    echo(json.dumps(strict_json(value), indent=1))


def echo_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of equal length as aligned columns."""
    shown = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in shown) for i in range(len(shown[0]))]
    for row in shown:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        echo("  ".join(cells).rstrip())


def require_new_file(path: Path, endings: Sequence[str]) -> None:
    """Refuse a file that exists, or whose name has none of the endings, before any work is done.

    Raises:
        DataError: in both cases.
    """
    if path.exists():
        raise DataError(f"{path} exists already, and files are never overwritten. Use a new name.")
    if path.suffix not in endings:
        raise DataError(
            f"{path}: its name has to end in {' or '.join(filter(None, endings))}. "
            f"Write {path.with_suffix(endings[0])}."
        )


def data_name(plain_recipe: Mapping[str, Any]) -> str:
    """A short name for the data of a recipe, such as "digits": their kind, or the stem of their
    file; only letters, digits, "-" and "_", so that it can name a folder.

    Args:
        plain_recipe: a recipe as plain values.
    """
    data = plain_recipe.get("data")
    fields = data if isinstance(data, Mapping) else {"kind": data}
    stem = Path(str(fields["path"])).stem if fields.get("path") else str(fields.get("kind") or "")
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)[:40] or "run"


def folder_name(recipe: Recipe, ending: str = "") -> str:
    """The name of a new run folder: the data, four digits of the recipe's hash, and `ending`."""
    from netwise.recipe.plain import plain_of  # heavy

    return f"{data_name(plain_of(recipe))}-{recipe.hash[:4]}{ending}"


@contextmanager
def fresh_folder(home: Path, name: str) -> Iterator[Path]:
    """A new folder in `home`; deleted if an error leaves it empty."""
    folder = new_folder(home, name)
    try:
        yield folder
    except BaseException:
        delete_empty_folder(folder)
        raise


def network_table(recipe: Recipe, shape: tuple[int, ...]) -> str:
    """The table of the layers of a recipe's network, for inputs of one shape."""
    from netwise.observe.anatomy import describe  # heavy

    return str(describe(recipe.network, shape))
