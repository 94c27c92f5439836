"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

run_argument = click.argument("run", metavar="RUN")
recipe_argument = click.argument("recipe", metavar="RECIPE.toml", type=click.Path(path_type=Path))
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document to stdout."
)
home_option = click.option(
    "--runs",
    "home",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder that holds the runs.",
)
trust_option = click.option(
    "--trust-own",
    is_flag=True,
    help="Import and run the Python code of your own that the recipe names.",
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(1), help="Runs in parallel.  [default: one per CPU core]"
)
checkpoint_option = click.option(
    "--checkpoint-every",
    type=int,
    default=0,
    metavar="STEPS",
    help="Write a checkpoint every so many steps, besides one per epoch.",
)
output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write to this new file instead of stdout.",
)


def set_option(example: str) -> Callable[[Command], Command]:
    """`--set FIELD=VALUE`, which may be given several times; `example` is one that fits."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="FIELD=VALUE",
        help=f"Change a field of the recipe, such as {example}. May be repeated.",
    )


def picture_option(what: str) -> Callable[[Command], Command]:
    """`--picture FILE`, which draws `what`."""
    return click.option(
        "--picture",
        type=click.Path(path_type=Path),
        help=f"Draw {what} into a new .png or .svg file.",
    )
