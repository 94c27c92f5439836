"""How docstrings become reStructuredText: indented formulas are literal blocks, bars are bars."""

from __future__ import annotations

import re

SECTION = re.compile(r"^(Args|Attributes|Example|Examples|Raises|Returns|Yields|Source|Note):")
CODE = re.compile(r"(`[^`]*`)")


def to_rest(lines: list[str]) -> list[str]:
    """A docstring's lines with each indented block outside of a section marked as literal.

    >>> to_rest(["Mean:", "", "    |a| / n", "", "for |n| > 0."])
    ['Mean:', '', '::', '', '    |a| / n', '', 'for \\\\|n\\\\| > 0.']
    """
    result: list[str] = []
    in_section = in_block = False
    for position, line in enumerate(lines):
        indented = line.startswith(" ")
        if line and not indented:
            in_section, in_block = bool(SECTION.match(line)), False
        if indented and not in_section and not in_block:
            if position and lines[position - 1]:
                result.append("")
            result += ["::", ""]
            in_block = True
        result.append(line if in_block or line.lstrip().startswith(">>>") else without_bars(line))
    return result


def without_bars(line: str) -> str:
    """The line with `|` outside of code escaped: reStructuredText takes |x| as a substitution."""
    pieces = CODE.split(line)
    return "".join(
        piece if piece.startswith("`") else piece.replace("|", "\\|") for piece in pieces
    )


def process(
    _app: object, _what: str, _name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """For Sphinx's event `autodoc-process-docstring`."""
    if not any(line.lstrip().startswith(".. ") for line in lines):  # torch's are reStructuredText
        lines[:] = to_rest(list(lines))


def skip(
    _app: object, _what: str, name: str, _thing: object, skipped: bool, _options: object
) -> bool | None:
    """For Sphinx's event `autodoc-skip-member`: scikit-learn's request methods are not ours."""
    if re.fullmatch(r"set_\w+_request|get_metadata_routing", name):
        return True
    return None if not skipped else True
