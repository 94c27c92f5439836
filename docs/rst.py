"""Pieces of pages in reStructuredText."""

from __future__ import annotations

import re
from unicodedata import east_asian_width


def heading(text: str, line: str = "=") -> str:
    """A heading; the line below is as long as the text is wide, where Chinese signs take two."""
    width = sum(2 if east_asian_width(sign) in "FW" else 1 for sign in text)
    return f"{text}\n{line * width}\n\n"


def contents(title: str, intro: str, stems: list[str]) -> str:
    """An index page with a table of contents."""
    listed = "".join(f"   {stem}\n" for stem in stems)
    return heading(title) + f"{intro}\n\n.. toctree::\n   :maxdepth: 1\n\n{listed}"


def plain(text: str) -> str:
    """Words as they are: no sign of theirs is taken for markup."""
    return re.sub(r"([\\*`|_\[\]<>])", r"\\\1", text)
