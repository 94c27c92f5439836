"""One HTML page: no script, no network, light and dark, for a phone too. Everything from a user is
escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files


@dataclass(frozen=True)
class Html:
    """A piece of a page that is safe to put into it."""

    text: str


def tag(name: str, *inside: Html | str, kind: str = "") -> Html:
    """An element; plain text inside is escaped."""
    attribute = f' class="{escape(kind, quote=True)}"' if kind else ""
    return Html(f"<{name}{attribute}>{joined(inside).text}</{name}>")


def joined(pieces: Iterable[Html | str]) -> Html:
    return Html(
        "".join(piece.text if isinstance(piece, Html) else escape(piece) for piece in pieces)
    )


def figures(pictures: Sequence[str]) -> Html:
    """SVG pictures side by side where there is room."""
    shown = [Html(f'<figure class="figure">{picture}</figure>') for picture in pictures if picture]
    return tag("div", *shown, kind="grid") if shown else Html("")


def table(
    head: Sequence[str], rows: Sequence[Sequence[Html | str]], numbers: Sequence[int] = ()
) -> Html:
    """A table; the columns in `numbers` are set right."""
    kinds = ["number" if i in numbers else "" for i in range(len(head))]
    lines = [
        tag("tr", *(tag("th", cell, kind=kind) for cell, kind in zip(head, kinds, strict=True)))
    ]
    lines += [
        tag("tr", *(tag("td", cell, kind=kind) for cell, kind in zip(row, kinds, strict=True)))
        for row in rows
    ]
    return tag("div", tag("table", *lines), kind="wide")


def page(title: str, *body: Html | str) -> str:
    """The whole page as text. Its policy forbids everything but its own styles and pictures."""
    style = files("netwise.report").joinpath("page.css").read_text("utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>\n{joined(body).text}\n</body></html>\n"
    )
