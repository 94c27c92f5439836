"""The report is one file that needs nothing, shows what it should, and escapes what users wrote."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import netwise as nw
from netwise.report.run_page import run_page
from netwise.report.treatment_page import treatment_page

VOID = {"meta", "br", "img", "path", "use", "rect", "image"}


class Page(HTMLParser):
    """Collects ids, addresses and open tags."""

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


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    sick = nw.gallery.sick["rate_too_low"].recipe
    return {
        "digits": run_page(nw.fit(nw.suggest(nw.data.digits(), epochs=4))),
        "regression": run_page(nw.fit(nw.suggest(nw.data.diabetes(), epochs=4))),
        "lenet5": run_page(nw.fit(nw.suggest(nw.data.digits(), "lenet5", epochs=1))),
        "course": treatment_page(nw.treat(sick, seeds=(0, 1), jobs=1)),
        "diverged": run_page(nw.fit(sick.but(optimizer=nw.SGD(lr=1e9)))),
        "no parts": run_page(nw.fit(sick.but(data=nw.data.digits(valid=0, test=0), epochs=1))),
    }


NAMES = ["digits", "regression", "lenet5", "course", "diverged", "no parts"]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_needs_nothing_but_itself(pages: dict[str, str], name: str) -> None:
    page = Page(pages[name])
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert all(address.startswith(("#", "data:image/png")) for address in page.addresses)
    assert not re.findall(r"url\((?!#)", pages[name])
    assert "default-src 'none'" in pages[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_well_formed_and_its_ids_are_its_own(pages: dict[str, str], name: str) -> None:
    page = Page(pages[name])
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    for target in re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', pages[name]):
        assert target in page.ids, target


@pytest.mark.parametrize("name", NAMES)
def test_a_page_follows_light_and_dark_and_a_phone(pages: dict[str, str], name: str) -> None:
    assert "prefers-color-scheme: dark" in pages[name]
    assert 'name="viewport"' in pages[name]
    assert "#010203" not in pages[name]
    assert "#040506" not in pages[name]


def test_a_run_shows_what_it_should(pages: dict[str, str]) -> None:
    for text in (
        "MLP on Digits",
        "Test accuracy",
        "No problem found.",
        "Loss",
        "Accuracy",
        "Gradient (rms, log scale)",
        "Confusion matrix",
        "Most confident mistakes",
        "multiply-adds",
        "[optimizer]",
    ):
        assert text in pages["digits"], text
    assert "R²" in pages["regression"]
    assert "Confusion matrix" not in pages["regression"]
    assert "Diverged at step" in pages["diverged"]


def test_a_treatment_shows_before_trials_and_after(pages: dict[str, str]) -> None:
    for text in (
        "Before",
        "Trials 1: Learning rate too low",
        "Paired trials",
        "After",
        "Changes of the recipe",
        "By hand:",
        "test part",
        "Gradient of each layer",
    ):
        assert text in pages["course"], text


def test_what_users_wrote_is_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    path = tmp_path / f"{evil[1:7]}.csv"
    column, town = f'a"{evil}', f"{evil}'&"
    rows = [f"{i},{town if i % 2 else 'Bern'}" for i in range(60)]
    path.write_text("\n".join([f"'{column}',y".replace("'", ""), *rows]).replace('a"', "a"))
    run = nw.fit(nw.suggest(nw.data.csv(path, "y"), epochs=2), folder=tmp_path / "a<b>&run")
    text = run_page(run)
    assert evil not in text
    assert "&lt;script&gt;" in text
    assert Page(text).open == []


def test_a_report_is_written_beside_the_run_and_again(tmp_path: Path, small: nw.Recipe) -> None:
    run = nw.fit(small, folder=tmp_path / "run")
    path = nw.write_report(run, tmp_path / "run" / "report.html")
    first = path.read_text("utf-8")
    loaded = nw.load(tmp_path / "run")
    assert run_page(loaded) == first  # it says the same however often it is written
