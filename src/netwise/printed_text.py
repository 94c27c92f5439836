"""Texts as a terminal may get them. Names of classes, columns, layers and files may come from
anybody, and a terminal obeys the control characters in them: they are shown as escapes, such as
\\x1b."""

from __future__ import annotations

import re

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
        >>> from netwise.printed_text import printable
        >>> print(printable("a \\x1b[2J title"))
        a \\x1b[2J title
    """
    return _OBEYED.sub(_escaped, text)


def one_line(text: str) -> str:
    """The same for a cell of a table: line ends and tabs are escapes, too."""
    return _LINE_ENDS.sub(_escaped, printable(text))
