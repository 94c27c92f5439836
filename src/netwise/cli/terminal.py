"""Text for a terminal. Names of classes, columns, layers and files may come from anybody, and a
terminal obeys the control characters in them: they are printed as escapes, such as \\x1b."""

from __future__ import annotations

import re
import sys

import click

# Control characters, but line ends and tabs; separators of lines; halves of surrogate pairs; and
# those that reverse the order in which a line is shown.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_LINE_ENDS = re.compile("[\n\t]")


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def printable(text: str) -> str:
    """The text with escapes in the place of characters that a terminal obeys.

    Example:
        >>> from netwise.cli.terminal import printable
        >>> print(printable("a \\x1b[2J title"))
        a \\x1b[2J title
    """
    return _OBEYED.sub(_escaped, text)


def one_line(text: str) -> str:
    """The same for a cell of a table: line ends and tabs are escapes, too."""
    return _LINE_ENDS.sub(_escaped, printable(text))


def echo(text: str, *, err: bool = False) -> None:
    """Print a message and a line end to stdout, or to stderr."""
    click.echo(printable(text), err=err)


def echo_data(text: str) -> None:
    """Print what the user asked for, such as predictions or a script, to stdout: as it is where a
    file or a program reads it, and like a message on a terminal."""
    shown = printable(text) if sys.stdout.isatty() else text
    click.echo(shown, nl=False, color=True)  # `color`: click removes nothing
