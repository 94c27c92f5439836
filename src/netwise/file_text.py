"""Texts that come out of a file, or from the words of a command: code that they name is not run.

Whoever reads a file marks its texts, once, where they are parsed. The mark is the type of the text,
so it goes wherever the text goes: into a part, an axis of a search, a recipe inside of a recipe, a
copy, another process. `CustomNetwork` imports no code by a marked name. To trust a file is to
remove the marks (`netwise.recipe.user_code.trusted`).
"""

from __future__ import annotations

from typing import Any


class FileText(str):
    """A text of a file; equal to the same text of a program, and with the same hash."""

    __slots__ = ()


def as_file_text(value: Any) -> Any:
    """Plain values in which each text is marked; keys of tables are not.

    Example:
        >>> from netwise.file_text import FileText, as_file_text
        >>> marked = as_file_text({"network": [{"source": "models:build"}]})
        >>> marked, type(marked["network"][0]["source"]) is FileText
        ({'network': [{'source': 'models:build'}]}, True)
    """
    if isinstance(value, str):
        return FileText(value)
    if isinstance(value, dict):
        return {key: as_file_text(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(as_file_text(each) for each in value)
    return value
