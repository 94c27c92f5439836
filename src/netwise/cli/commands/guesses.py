"""The commands `guess`, `outcome` and `log`: settings tried by hand, kept in a log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netwise.cli.options import json_option, set_option, trust_option
from netwise.cli.output import echo_json
from netwise.cli.parsing import (
    allow_own_code,
    parse_settings,
    read_recipe_file,
    recipe_for,
    with_settings,
)
from netwise.cli.terminal import echo
from netwise.storage.layout import RECIPE

if TYPE_CHECKING:
    pass

log_argument = click.argument("book", metavar="LOG", type=click.Path(path_type=Path))


@click.command()
@log_argument
@click.argument("source", required=False)
@click.option("--because", required=True, metavar="REASON", help="Why these settings are tried.")
@set_option("optimizer.lr=0.01")
@trust_option
@json_option
def guess(
    book: Path,
    source: str | None,
    because: str,
    settings: Sequence[str],
    trust_own: bool,
    as_json: bool,
) -> None:
    """Train settings chosen by hand and enter them in a log, with the reason.

    LOG is the folder of the log; a new one is created. SOURCE is RECIPE.toml or the name of a data
    set; without it, the settings of the last entry are changed by --set.

    \b
    Examples:
      netwise guess log digits --because "a first try"
      netwise guess log --set optimizer.lr=0.1 --because "the loss fell slowly"
    """
    from netwise.searches.guess_log import guess_table, read_guesses

    earlier = read_guesses(book)
    if source is None and not earlier:
        raise click.UsageError(
            f"the log {book} has no entry to change yet. Name a data set or RECIPE.toml: "
            f'netwise guess {book} digits --because "a first try"'
        )
    if source is None:
        recipe = with_settings(
            read_recipe_file(Path(earlier[-1].folder) / RECIPE), parse_settings(settings)
        )
    else:
        recipe = allow_own_code(recipe_for(source, settings=settings), trust_own)
    from netwise.searches.advice import young_study_advice
    from netwise.searches.guess_training import log_guess  # heavy

    entry = log_guess(book, recipe, because)
    if as_json:
        echo_json(asdict(entry))
        return
    for line in guess_table([entry]):
        echo(line)
    if advice := young_study_advice(recipe, len(earlier) + 1):
        echo(advice)
    echo(f"Note what it taught: netwise outcome {book} {entry.number} WORDS")


@click.command()
@log_argument
@click.argument("number", type=int)
@click.argument("words", nargs=-1, required=True)
def outcome(book: Path, number: int, words: Sequence[str]) -> None:
    """Note in a log what entry NUMBER of `netwise guess` taught.

    \b
    Example:
      netwise outcome log 1 "a larger rate is faster"
    """
    from netwise.searches.guess_log import guess_table, log_outcome

    for line in guess_table([log_outcome(book, number, " ".join(words))]):
        echo(line)


@click.command()
@log_argument
@json_option
def log(book: Path, as_json: bool) -> None:
    """Print a log: all settings of `netwise guess`, their reasons and outcomes.

    \b
    Example:
      netwise log log
    """
    from netwise.searches.guess_log import guess_table, read_guesses

    entries = read_guesses(book)
    if as_json:
        echo_json([asdict(entry) for entry in entries])
        return
    if not entries:
        echo(
            f"The log {book} has no entry yet. Make one: "
            f'netwise guess {book} digits --because "a first try"'
        )
    for line in guess_table(entries):
        echo(line)
