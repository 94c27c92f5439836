"""Text for a terminal. Names of classes, columns, layers and files may come from anybody, and a
terminal obeys the control characters in them: they are printed as escapes, such as \\x1b."""

from __future__ import annotations

import sys

import click

from netwise.printed_text import printable


def echo(text: str, *, err: bool = False) -> None:
    """Print a message and a line end to stdout, or to stderr."""
    click.echo(printable(text), err=err)


def echo_data(text: str) -> None:
    """Print what the user asked for, such as predictions or a script, to stdout: as it is where a
    file or a program reads it, and like a message on a terminal."""
    shown = printable(text) if sys.stdout.isatty() else text
    click.echo(shown, nl=False, color=True)  # `color`: click removes nothing
