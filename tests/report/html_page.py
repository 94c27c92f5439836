"""A parser of report pages for tests."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "path", "use", "rect", "image"}


class Page(HTMLParser):
    """Collects ids, addresses and open tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "action", "data"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()


def check_page(text: str) -> Page:
    """Parse a page, and check that it is well formed, self-contained and fits light, dark and phone
    screens."""
    page = Page(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    for target in re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', text):
        assert target in page.ids, target
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert all(address.startswith(("#", "data:image/png")) for address in page.addresses)
    assert not re.findall(r"url\((?!#)", text)
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert "#010203" not in text  # placeholders of colours
    assert "#040506" not in text
    return page
