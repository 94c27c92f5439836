"""The command that shows what data hold: data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.cli.options import data_options, json_option, set_option
from netwise.cli.output import echo_json
from netwise.cli.parsing import data_for, is_table, parse_settings, recipe_for, with_settings
from netwise.cli.terminal import echo

if TYPE_CHECKING:
    from netwise.data.summary.data_summary import DataSummary

SPLITTING = ("time", "group", "valid_file", "test_file")
SOME, EVERY = 40, 1_000_000  # columns


@click.command()
@click.argument("source")
@click.option("--target", metavar="COLUMN", help="Column of a table to predict.")
@set_option("data.split_seed=1")
@click.option("--all", "every", is_flag=True, help="List all columns of a wide table.")
@data_options
@json_option
def data(
    source: str,
    target: str | None,
    settings: Sequence[str],
    every: bool,
    reading: Mapping[str, Any],
    pictures: Mapping[str, Any],
    as_json: bool,
) -> None:
    """Show what the data of SOURCE hold, before anything is trained.

    SOURCE is the name of a data set, FILE.csv, a folder with one subfolder of images per class, or
    RECIPE.toml. For each column of a table: what it was read as, and why. With --target also the
    classes, the parts, rows that are in two of them, columns that predict the target nearly alone,
    and whether a column orders the rows in time.

    \b
    Examples:
      netwise data pets.csv
      netwise data pets.csv --target pet
      netwise data sales.csv --target price --time date
      netwise data photos/ --size 96x96 --skip-broken
      netwise data recipe.toml --json
    """
    summary = _summary(source, target, settings, reading, pictures)
    if as_json:
        echo_json(summary.as_dict())
    else:
        echo(summary.text(EVERY if every else SOME))


def _summary(
    source: str,
    target: str | None,
    settings: Sequence[str],
    reading: Mapping[str, Any],
    pictures: Mapping[str, Any],
) -> DataSummary:
    if source.endswith(".toml"):
        recipe = recipe_for(
            source, target=target, settings=settings, reading=reading, pictures=pictures
        )
        return recipe.data.summary()
    values = parse_settings(settings)
    if target is None and is_table(source) and not pictures:
        split = [f"--set {each}" for each in settings]
        split += [f"--{n.replace('_', '-')} {reading[n]}" for n in SPLITTING if n in reading]
        if split:
            raise click.UsageError(
                f"{split[0]} changes data that are split, which needs a target: add --target COLUMN"
            )
        return _without_target(source, reading)
    described = data_for(source, target, reading, pictures)
    if not values:
        return described.summary()
    from netwise.recipe.suggestion import suggest  # heavy

    return with_settings(suggest(described), values).data.summary()


def _without_target(source: str, reading: Mapping[str, Any]) -> DataSummary:
    from netwise.data.summary.table_summary import summary_of_file  # heavy
    from netwise.data.tables.options import ReadOptions

    kinds = tuple(each.rpartition("=")[::2] for each in reading.get("kinds", ()))
    return summary_of_file(Path(source), ReadOptions(**{**reading, "kinds": kinds}))
