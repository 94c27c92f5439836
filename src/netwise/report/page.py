"""HTML pages from the templates in this package: no network, no script but the search of a list,
light and dark, for a phone too. Everything that is not a picture is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **values: Any) -> str:
    """A page as text.

    Args:
        template: a file in `netwise/report/templates`.
        values: what the template shows, by name; text is escaped. The pictures in them have to be
            SVG of `netwise.report.pictures`.

    Raises:
        jinja2.UndefinedError: a value that the template shows is missing.
    """
    page = _templates().get_template(template).render(values)
    return page.encode("utf-8", "backslashreplace").decode("utf-8")  # half of a surrogate pair


def source_of(file: str) -> str:
    """The text of a file in `netwise/report/templates` that is no template, such as a script."""
    return (Path(__file__).parent / "templates" / file).read_text("utf-8")


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("netwise.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
