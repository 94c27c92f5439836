"""Text for a terminal. Names of classes, columns, layers and files may come from anybody, and a
terminal obeys the control characters in them: they are printed as escapes, such as \\x1b."""

from __future__ import annotations

import sys

import click

from netwise.printed_text import printable
from netwise.training.ranks.launched import first_to_speak, is_first


def echo(text: str, *, err: bool = False) -> None:
    """Print a message and a line end to stdout, or to stderr; of several processes that train one
    model, only in the first."""
    if is_first():
        click.echo(printable(text), err=err)


def echo_error(text: str) -> None:
    """Print an error to stderr; of several processes that train one model, in one of them."""
    if first_to_speak():
        click.echo(printable(text), err=True)


def echo_data(text: str) -> None:
    """Print what the user asked for, such as predictions or a script, to stdout: as it is where a
    file or a program reads it, and like a message on a terminal."""
    shown = printable(text) if sys.stdout.isatty() else text
    click.echo(shown, nl=False, color=True)  # `color`: click removes nothing
