"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from netwise.cli.known_names import METRICS, SPEEDUPS
from netwise.errors import UnknownName

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


def metric_option(command: Command) -> Command:
    """`--metric NAME`."""
    return click.option(
        "--metric",
        type=click.Choice(METRICS),
        help="What early stopping, trials and searches look at.  "
        "[default: accuracy or R²; balanced accuracy for classes of very unequal size]",
    )(command)


baselines_option = click.option(
    "--no-baselines",
    "with_baselines",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Train no simple models of scikit-learn beside the network on the same split; their time "
    "is printed.",
)


def with_metric(settings: Sequence[str], metric: str | None) -> Sequence[str]:
    """The values of `--set`, with that of `--metric`.

    >>> with_metric(("epochs=3",), "auc")
    ('epochs=3', 'metric=auc')
    """
    return settings if metric is None else (*settings, f"metric={metric}")


def speedups_option(command: Command) -> Command:
    """`--speedups NAMES`; the command gets a tuple of names, or None where it is not given."""

    def read(context: object, option: object, value: str | None) -> tuple[str, ...] | None:
        if value is None:
            return None
        names = [name.strip() for name in value.split(",") if name.strip()]
        names = [] if names == ["none"] else names
        for name in names:
            if name not in SPEEDUPS:
                raise UnknownName("speedup", name, (*SPEEDUPS, "none"))
        return tuple(names)

    return click.option(
        "--speedups",
        metavar="NAME,NAME|none",
        callback=read,
        help=f"Of the training steps, instead of those that a rule chooses: {', '.join(SPEEDUPS)}; "
        "none: plain torch.",
    )(command)


def picture_option(what: str) -> Callable[[Command], Command]:
    """`--picture FILE`, which draws `what`."""
    return click.option(
        "--picture",
        type=click.Path(path_type=Path),
        help=f"Draw {what} into a new .png or .svg file.",
    )


# Fields of `data.csv` on how a file is read and split, as options; a name that may be repeated
# gives a list.
_READING = (
    ("encoding", "NAME", False, "Encoding of the text, such as cp1252."),
    ("sep", "CHARACTER", False, "What is between two cells; 'tab' for a tab."),
    ("decimal", "SIGN", False, "Decimal sign: . or ,"),
    ("quote", "CHARACTER", False, "What is around cells; 'none' for nothing."),
    ("na", "WORD", True, "A word that marks a missing value, besides the usual ones."),
    ("bad_cells", "error|missing", False, "What a cell is that does not fit its column."),
    ("kinds", "COLUMN=KIND", True, "What a column is, such as zip=category."),
    ("sheet", "NAME", False, "Sheet of a workbook."),
    ("time", "COLUMN", False, "Train on earlier rows, validate and test on later ones."),
    ("group", "COLUMN", False, "Keep rows of one value, such as a patient, in one part."),
    ("valid_file", "FILE", False, "A table that is the validation part."),
    ("test_file", "FILE", False, "A table that is the test part."),
)
_DEFAULTS = {
    "bad_cells": "error",
    "time": "at random",
    "group": "each row by itself",
    "valid_file": "split off",
    "test_file": "split off",
}


def table_options(command: Command) -> Command:
    """`--encoding`, `--sep` and so on; the command gets those that were given as `reading`, a
    mapping of fields of `data.csv`."""

    @wraps(command)
    def with_reading(*args: Any, **given: Any) -> Any:
        values = {name: given.pop(name) for name, *_ in _READING}
        reading = {name: value for name, value in values.items() if value not in (None, ())}
        if reading.get("sep") in ("tab", "\\t"):
            reading["sep"] = "\t"
        return command(*args, reading=reading, **given)

    decorated: Any = with_reading
    for name, metavar, repeated, text in reversed(_READING):
        option = "--kind" if name == "kinds" else f"--{name.replace('_', '-')}"
        more = "" if repeated else f"  [default: {_DEFAULTS.get(name, 'found')}]"
        if repeated:
            text += " May be repeated."
        help_text = f"Tables: {text}{more}"
        decorated = click.option(option, name, metavar=metavar, multiple=repeated, help=help_text)(
            decorated
        )
    return decorated  # type: ignore[no-any-return]


skip_broken_option = click.option(
    "--skip-broken",
    is_flag=True,
    help="Pictures: leave out files that cannot be read, and count them.",
)


def picture_options(command: Command) -> Command:
    """`--size` and `--skip-broken`; the command gets both as `pictures`, a mapping of those
    given."""

    @wraps(command)
    def with_pictures(*args: Any, **given: Any) -> Any:
        values = {name: given.pop(name) for name in ("size", "skip_broken")}
        pictures = {name: value for name, value in values.items() if value}
        return command(*args, pictures=pictures, **given)

    decorated: Any = skip_broken_option(with_pictures)
    return click.option(  # type: ignore[no-any-return]
        "--size",
        metavar="HEIGHTxWIDTH",
        help="Pictures: resize them to so many pixels.  [default: chosen, at most 64x64]",
    )(decorated)


def data_options(command: Command) -> Command:
    """How the data of SOURCE are read: the options of tables and of pictures, as `reading` and
    `pictures`."""
    return table_options(picture_options(command))
