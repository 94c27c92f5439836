"""The outline holds every item and erratum, and all that it names exists."""

from __future__ import annotations

import re
import tomllib
from functools import reduce
from pathlib import Path

import pytest

import netwise as nw
from netwise.cli import main
from netwise.labs.errata.erratum import errata
from netwise.notes.outline import contents, find_sections, items, notes

ROOT = Path(__file__).parent.parent.parent


def test_every_item_and_erratum_has_a_section() -> None:
    assert {name for content in contents() for name in content.items} == set(items())
    listed = [name for content in contents() for name in content.errata]
    assert sorted(listed) == sorted(errata())  # each once


def test_every_lab_id_has_a_section() -> None:
    labs = {name for note in notes().values() for each in note.sections for name in each.labs}
    assert labs == {f"L{i:02d}" for i in range(1, 90)}


@pytest.mark.parametrize("name", items())
def test_what_an_item_names_exists(name: str) -> None:
    places = items()[name].where
    for place in places:
        kind, _, word = place.partition(" ")
        if kind.startswith("nw."):
            assert reduce(getattr, kind.split(".")[1:], nw) is not None
        elif kind == "netwise":
            assert word in main.commands
        elif kind == "finding":
            assert word in {rule.name for rule in nw.RULES}
        elif kind == "remedy":
            assert word in {remedy.name for remedy in nw.REMEDIES}
        else:
            assert kind == "recipe"
            assert tomllib.loads((ROOT / "recipes" / f"{word}.toml").read_text("utf-8"))


def test_sections_are_found_by_words_of_both_languages_and_by_ids() -> None:
    assert {content.note for content in find_sections("梯度消失")} >= {"000", "001", "003"}
    assert [content.section.en for content in find_sections("E05")] == [
        "activations, optimizers in one frame (erratum: the root must divide)"
    ]
    assert find_sections("dropout L16")
    assert not find_sections("no section has these words")


def test_citations_in_the_code_are_items_of_the_note_they_name() -> None:
    """A docstring that says "note 001, claim Y01" can be looked up: netwise notes Y01."""
    cited = []
    for path in (ROOT / "src" / "netwise").rglob("*.py"):
        for note, names in re.findall(
            r"note (00\d), claims? ((?:[A-Z]\d\d(?:, | and )?)+)", path.read_text("utf-8")
        ):
            for name in re.findall(r"[A-Z]\d\d", names):
                cited.append(name)
                assert items()[name].note == note, (path, name)
        for name in re.findall(r"erratum (E\d\d)", path.read_text("utf-8")):
            assert name in errata(), path
    assert len(cited) > 5
