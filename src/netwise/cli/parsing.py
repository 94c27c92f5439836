"""Words of the command line as values: the only place where names are text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.errors import DataError, Problem, RunFolderError, UnknownName, WrongValue

if TYPE_CHECKING:
    from netwise.data import Data
    from netwise.networks import Network
    from netwise.recipe.recipe import Recipe


def recipe_for(
    source: str,
    target: str | None,
    network: str | None,
    epochs: int | None,
    seed: int | None,
    settings: Sequence[str],
) -> Recipe:
    """The recipe that the words of the command line mean."""
    from netwise.recipe.reader import read_recipe
    from netwise.recipe.suggestion import suggest

    if source.endswith(".toml"):
        if target is not None:
            raise click.UsageError("--target is for a CSV file; a recipe has its own data")
        recipe = read_recipe(source)
    else:
        recipe = suggest(data_for(source, target), network, epochs=epochs)
    if epochs is not None:
        settings = [*settings, f"epochs={epochs}"]
    if seed is not None:
        settings = [*settings, f"seed={seed}"]
    return changed(recipe, settings)


def data_for(source: str, target: str | None) -> Data:
    """The data set that a name, a CSV file or a folder of images means."""
    from netwise.data import DATA, csv, images
    from netwise.data.csv_file import read_table

    if source not in DATA and Path(source).is_dir():
        if target is not None:
            raise click.UsageError(
                "--target is for a CSV file; in a folder of images each folder is a class"
            )
        return images(source)
    if source.lower().endswith((".csv", ".tsv", ".data", ".txt")) or Path(source).is_file():
        if target is None:
            columns = list(read_table(Path(source)))
            raise click.UsageError(
                f"which column is to be predicted? Write --target COLUMN; there are: {', '.join(columns)}"
            )
        return csv(source, target)
    if target is not None:
        raise click.UsageError("--target is for a CSV file; a named data set has its own")
    named = {name: made for name, made in DATA.items() if name not in ("csv", "images", "arrays")}
    if source not in named:
        raise UnknownName("data set", source, named)
    return named[source]()


def changed(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe after `--set FIELD=VALUE`, read again as a file would be."""
    from netwise.recipe.reader import with_fields

    return with_fields(recipe, settings_of(settings), "--set") if settings else recipe


def settings_of(settings: Sequence[str]) -> dict[str, Any]:
    """FIELD=VALUE pairs as plain values by field."""
    import tomllib

    found: dict[str, Any] = {}
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not equals or not field.strip():
            raise click.UsageError(f"--set {setting}: write FIELD=VALUE, such as optimizer.lr=0.01")
        try:
            found[field.strip()] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            found[field.strip()] = text
    return found


def network_for(
    name: str, settings: Sequence[str], trust_own: bool
) -> tuple[Any, tuple[int, ...] | None]:
    """The network that a word or a recipe names, and the shape of its inputs where that is
    known."""
    from netwise.networks import Network
    from netwise.part import InvalidValue
    from netwise.recipe.families import find_class
    from netwise.recipe.prepared import prepare
    from netwise.recipe.reader import read_recipe, recipe_of

    if name.endswith(".toml"):
        recipe = changed(read_recipe(name), [f"network.{setting}" for setting in settings])
        own_network(recipe, trust_own)
        return recipe.network, prepare(recipe).samples.shape
    try:
        kind = find_class(Network, name).kind
    except InvalidValue as wrong:
        raise WrongValue(
            "network", [Problem("network", name, wrong.reason, wrong.instead)]
        ) from None
    # Read as a file would be, so that every wrong field is told.
    plain = {"data": "digits", "network": {"kind": kind, **settings_of(settings)}}
    read = recipe_of(plain, "--set")
    own_network(read, trust_own)
    network = read.network
    shape = getattr(network, "image", None)
    if shape is None and hasattr(network, "widths"):
        shape = (network.widths[0],)
    if shape is None and (network.is_memory or network.is_energy_model):
        shape = (getattr(network, "visible", getattr(network, "units", 0)),)
    if shape is None and hasattr(network, "symbols"):
        shape = (28,) if network.symbols else (28, getattr(network, "features", 1))
    return network, shape


def find_run(run: str, home: Path) -> Path:
    """A run by its path, or by its name below the folder of runs."""
    from netwise.storage.layout import RECIPE

    for path in (Path(run), home / run):
        if (path / RECIPE).is_file():
            return path
    known = sorted(path.parent.name for path in home.glob(f"*/{RECIPE}"))
    if not known:
        raise RunFolderError(
            f"there is no run {run}, and none in {home} yet. Begin with: netwise train digits"
        )
    raise UnknownName(f"run in {home}:", run, known)


def own_network(recipe: Recipe, trusted: bool) -> Network | None:
    """The user's own network, once it is said that its code may run."""
    from netwise.networks import CustomNetwork
    from netwise.recipe.foreign_code import code_within

    own = recipe.network if isinstance(recipe.network, CustomNetwork) else None
    named = [*([str(own.source)] if own is not None else []), *code_within(recipe)]
    if named and not trusted:
        raise WrongValue(
            "recipe",
            [
                Problem(
                    "network.source",
                    ", ".join(named),
                    "is code of your own: say --trust-own to import and run it",
                )
            ],
        )
    if named:
        sys.path.insert(0, str(Path.cwd()))
    return own


def called(recipe: Recipe) -> str:
    """What a folder of runs of this recipe is called after: its data."""
    path = getattr(recipe.data, "path", None)
    stem = Path(path).stem if path else recipe.data.kind
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)[:40] or "run"


def as_number(cell: str, file: Path) -> float:
    """A cell that has to be a number."""
    try:
        return float(cell)
    except ValueError:
        raise DataError(
            f"{file}: {cell!r} is no number, and the network takes numbers only"
        ) from None
