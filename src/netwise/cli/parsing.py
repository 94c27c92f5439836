"""Words of the command line as values: the only place where names are text.

Checks that need no torch come first, so that a usage error is answered at once.
"""

from __future__ import annotations

import csv as csv_format
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from netwise.cli.known_names import DATA_SETS, SUGGESTED_NETWORKS
from netwise.errors import DataError, UnknownName, WrongValue
from netwise.file_errors import file_errors
from netwise.file_text import as_file_text

if TYPE_CHECKING:
    from netwise.data import Data
    from netwise.networks import Network
    from netwise.recipe.recipe import Recipe

Own = TypeVar("Own")  # a recipe, or the plan of a search
TABLE_ENDINGS = (
    *(".csv", ".tsv", ".data", ".txt", ".csv.gz", ".tsv.gz", ".zip", ".parquet", ".feather"),
    *(".arrow", ".jsonl", ".ndjson", ".xlsx", ".xls", ".ods"),
)

# Names of options where the argument of `data.csv` has another one.
NAMES_OF_CSV = {"valid_file": "valid"}


def recipe_for(
    source: str,
    *,
    target: str | None = None,
    network: str | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
    reading: Mapping[str, Any] | None = None,
    pictures: Mapping[str, Any] | None = None,
) -> Recipe:
    """The recipe that the words of the command line describe.

    Args:
        source: RECIPE.toml, the name of a data set, a CSV file, or a folder of images.
        target, network, epochs, seed, settings: values of the options of these names.
        reading: values of the options of tables.
        pictures: values of the options of pictures, and of `--init`.
    """
    values = parse_settings(settings)
    if epochs is not None:
        values["epochs"] = epochs
    if seed is not None:
        values["seed"] = seed
    if source.endswith(".toml"):
        for option in [name for name in pictures or {} if name != "skip_broken"]:
            field = 'init = {kind = "From", path = ...}' if option == "init" else "data.height"
            raise click.UsageError(
                f"--{option}: a recipe has its own pictures and first weights. Leave --{option} "
                f"out, and write {field} in the recipe"
            )
        if target is not None:
            raise click.UsageError(
                f"--target {target}: a recipe names its own data and target. Leave --target out, "
                f"or change the recipe's: --set data.target={target}"
            )
        if network is not None:
            raise click.UsageError(
                f"--network {network}: a recipe has its own network. Leave --network out, or "
                "change the network's fields: --set network.FIELD=VALUE"
            )
        if pictures and "skip_broken" in pictures:
            values["data.skip_broken"] = True
        values |= {f"data.{field}": as_file_text(each) for field, each in (reading or {}).items()}
        recipe = read_recipe_file(source)
    else:
        if network is not None and network.lower() not in SUGGESTED_NETWORKS:
            raise UnknownName("network", network, SUGGESTED_NETWORKS)
        data = data_for(source, target, reading, pictures)
        from netwise.recipe.suggestion import suggest  # heavy

        recipe = suggest(data, network, epochs=epochs)
        if pictures and "init" in pictures:
            recipe = _with_weights(recipe, Path(pictures["init"]), network)
    return with_settings(recipe, values)


def data_for(
    source: str,
    target: str | None,
    reading: Mapping[str, Any] | None = None,
    pictures: Mapping[str, Any] | None = None,
) -> Data:
    """The data set of a name, a table with its target column, or pictures: a folder of them, or a
    table that names their files."""
    path = Path(source)
    is_named = source in DATA_SETS
    if not is_named and (path.is_dir() or (is_table(source) and _names_pictures(path, target))):
        return _pictures(source, target, reading, pictures or {})
    for option in pictures or {}:
        written = option.replace("_", "-")
        raise click.UsageError(
            f"--{written}: {source} has no files of pictures, and this is for them. "
            f"Leave --{written} out."
        )
    if reading and is_named:
        raise _no_table(source, reading)
    if is_table(source):
        if target is None:
            names = ", ".join(column_names(path))
            raise click.UsageError(
                f"{source} needs a column to predict. Write --target COLUMN, one of: {names}"
            )
        from netwise.data import csv  # heavy

        options = {NAMES_OF_CSV.get(name, name): value for name, value in (reading or {}).items()}
        return csv(source, target, **options)
    if not is_named:
        raise UnknownName("data set", source, DATA_SETS)
    if target is not None:
        raise click.UsageError(
            f"--target {target}: the data set {source} has its own target. Leave --target out."
        )
    from netwise.data import DATA  # heavy

    data: Data = DATA[source]()
    return data


def _no_table(source: str, reading: Mapping[str, Any]) -> click.UsageError:
    option = "kind" if "kinds" in reading else next(iter(reading)).replace("_", "-")
    return click.UsageError(
        f"--{option}: {source} is no table in a file, and this says how to read one. "
        f"Leave --{option} out."
    )


def _pictures(
    source: str, target: str | None, reading: Mapping[str, Any] | None, pictures: Mapping[str, Any]
) -> Data:
    """The pictures of a folder, or those that a table names."""
    if Path(source).is_dir() and target is not None:
        raise click.UsageError(
            f"--target {target}: in a folder of images each subfolder is a class. "
            "Leave --target out."
        )
    if reading:
        raise _no_table(source, reading)
    from netwise.data import images  # heavy

    height = width = None
    if "size" in pictures:
        sides = parse_whole_numbers("--size", pictures["size"], "x", "128x128")
        height, width = sides[0], sides[-1]
    elif "init" in pictures:
        from netwise.recipe.picture_networks import transfer_side  # heavy

        height = width = transfer_side(Path(pictures["init"]))
    skip_broken = bool(pictures.get("skip_broken"))
    return images(source, skip_broken=skip_broken, target=target, height=height, width=width)


def _names_pictures(path: Path, target: str | None) -> bool:
    """Whether a table names files of pictures; False without reading it where no cell of its first
    lines ends as they do and no folder is beside it; without a target, which tables need, also
    where no cell ends as any file does, so that the mistake is answered without torch."""
    if not path.is_file() or not path.name.lower().endswith((".csv", ".tsv", ".txt")):
        return False
    with file_errors(path), path.open("rb") as file:
        start = file.read(65536).replace(b"\0", b"")  # of UTF-16
    if target is None and not re.search(rb"\.[A-Za-z]{2,4}\b", start):
        return False
    from netwise.data.image_files.label_file import may_name_pictures, names_pictures  # heavy

    return may_name_pictures(path) and names_pictures(path)


def _with_weights(recipe: Recipe, path: Path, network: str | None) -> Recipe:
    """The recipe that begins with weights of a file or run."""
    from netwise.recipe.picture_networks import transferred  # heavy
    from netwise.storage.run_folder import RunFolder

    if path.is_dir():
        return transferred(recipe, path, RunFolder.open(path).recipe().network)
    return transferred(recipe, path, recipe.network if network else None)


def is_table(source: str) -> bool:
    """Whether the word is a table in a file: neither the name of a data set nor a folder."""
    path = Path(source)
    if source in DATA_SETS or path.is_dir():
        return False
    return source.lower().endswith(TABLE_ENDINGS) or path.is_file()


def column_names(path: Path) -> list[str]:
    """The names in the first line of a CSV file, for a message; read without torch.

    Raises:
        DataError: the file cannot be read as text.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            start = file.read(65536)
    except FileNotFoundError:
        raise DataError(
            f"{path} does not exist (looked in {Path.cwd()}). Use the path of a CSV file."
        ) from None
    except UnicodeDecodeError:
        from netwise.data.tables.options import ReadOptions  # heavy
        from netwise.data.tables.sources import cells_of

        return cells_of(path, ReadOptions()).frame.columns
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}. Use another file.") from None
    try:
        dialect: type[csv_format.Dialect] | str = csv_format.Sniffer().sniff(start, ",;\t|")
    except csv_format.Error:
        dialect = "excel"
    first = next(csv_format.reader(start.splitlines(), dialect, skipinitialspace=True), [])
    return [name.strip() for name in first]


def read_recipe_file(path: str | Path) -> Recipe:
    """The recipe in a file."""
    from netwise.recipe.reader import read_recipe  # heavy

    return read_recipe(path)


def with_settings(recipe: Recipe, values: dict[str, Any]) -> Recipe:
    """The recipe with fields changed by their dotted names, read as from a file."""
    from netwise.recipe.reader import with_fields  # heavy

    return with_fields(recipe, values, "--set") if values else recipe


def recipe_with(path: Path, settings: Sequence[str]) -> Recipe:
    """The recipe in a file after `--set FIELD=VALUE`."""
    values = parse_settings(settings)
    return with_settings(read_recipe_file(path), values)


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """FIELD=VALUE pairs as plain values by field; a value that is no TOML is text. Texts are marked
    as those of a file: code that they name is not run."""
    values: dict[str, Any] = {}
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not equals or not field.strip():
            raise click.UsageError(
                f"--set {setting} has no value. Write FIELD=VALUE, such as optimizer.lr=0.01."
            )
        try:
            values[field.strip()] = tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):  # also too many digits, and lists in lists
            values[field.strip()] = text
    return {field: as_file_text(value) for field, value in values.items()}


def parse_whole_numbers(option: str, text: str, separator: str, example: str) -> list[int]:
    """Whole numbers above 0 with a separator between them, such as the sides in "3x224x224"."""
    try:
        numbers = [int(piece) for piece in text.lower().split(separator)]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise click.UsageError(
            f"{option} {text}: write whole numbers above 0 with {separator!r} between them, "
            f"such as {example}."
        )
    return numbers


def network_for(
    name: str, settings: Sequence[str], trusted: bool
) -> tuple[Any, tuple[int, ...] | None]:
    """A network, and the shape of its inputs where that is known.

    Args:
        name: of a class of networks, in any case, or RECIPE.toml.
        settings: changes to its fields.
        trusted: code of the user's own may be imported.
    """
    values = parse_settings(settings)
    from netwise.networks import Network  # heavy
    from netwise.part import InvalidValue
    from netwise.recipe.families import find_class
    from netwise.recipe.prepared import prepare
    from netwise.recipe.reader import recipe_of

    if name.endswith(".toml"):
        changes = {f"network.{field}": value for field, value in values.items()}
        recipe = allow_own_code(with_settings(read_recipe_file(name), changes), trusted)
        return recipe.network, prepare(recipe).samples.shape
    try:
        kind = find_class(Network, name).kind
    except InvalidValue as error:
        raise WrongValue.of("network", "network", name, error.reason, error.instead) from None
    # Read as from a file, so that every invalid field is reported.
    read = recipe_of({"data": "digits", "network": {"kind": kind, **values}}, "--set")
    recipe = allow_own_code(read, trusted)
    return recipe.network, _input_shape(recipe.network)


def _input_shape(network: Any) -> tuple[int, ...] | None:
    """The shape of one input as far as the network's fields tell it."""
    shape: tuple[int, ...] | None = getattr(network, "image", None)
    if shape is None and hasattr(network, "widths"):
        shape = (network.widths[0],)
    if shape is None and (network.is_memory or network.is_energy_model):
        shape = (getattr(network, "visible", getattr(network, "units", 0)),)
    if shape is None and hasattr(network, "symbols"):
        shape = (28,) if network.symbols else (28, getattr(network, "features", 1))
    return shape


def allow_own_code(value: Own, trust: bool) -> Own:
    """The recipe or plan of a search that a file or the command line describes, once the user has
    allowed the code of his own that it names to run. Without that, building its network raises.

    Raises:
        WrongValue: it names code, and `trust` is false.
    """
    from netwise.recipe.user_code import foreign_code_in, trusted

    sources = foreign_code_in(value)
    if not sources:
        return value
    if not trust:
        reason = (
            "is code of your own, and reading a recipe never runs code. "
            "If you trust it, add --trust-own to import and run it"
        )
        raise WrongValue.of("recipe", "network.source", ", ".join(sources), reason)
    sys.path.insert(0, str(Path.cwd()))
    return trusted(value)


def own_network(recipe: Recipe) -> Network | None:
    """The network of a recipe, where it is code of the user's own."""
    return recipe.network if recipe.network.own_code else None
