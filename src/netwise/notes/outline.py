"""The outline of the notes, with the parts, labs and errata of each section. No torch is loaded.

`outline.toml` has the headings, `items.toml` what the notes describe and where netwise has it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from netwise.labs.catalogue import LabText, lab_texts
from netwise.labs.errata.erratum import Erratum, errata
from netwise.labs.record import recorded
from netwise.schema import typed

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Item:
    """One thing that the notes describe: a mechanism, a formula, an advice.

    Args:
        note: "000" to "004".
        en, zh: what it is, in English and in the words of the note.
        where: where netwise has it: public names ("nw.MLP"), commands ("netwise rate"), findings,
            remedies and recipes ("finding dead_relu").
    """

    note: str
    en: str
    zh: str
    where: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A section of a note.

    Args:
        zh, en: its heading, as printed and in English.
        items: ids of what it describes.
        labs: ids of the labs that test its claims.
    """

    zh: str
    en: str
    items: tuple[str, ...]
    labs: tuple[str, ...]


@dataclass(frozen=True)
class Note:
    """A study note: its title and its sections in order."""

    zh: str
    en: str
    sections: tuple[Section, ...]


@cache
def items() -> Mapping[str, Item]:
    """What the notes describe, by id.

    Example:
        >>> from netwise.notes.outline import items
        >>> items()["A03"].where
        ('nw.ReLU', 'finding dead_relu')
    """
    found: dict[str, Item] = _read("items.toml", dict[str, Item])
    return found


@cache
def notes() -> Mapping[str, Note]:
    """The notes by number, "000" to "004".

    Example:
        >>> from netwise.notes.outline import notes
        >>> notes()["003"].sections[2].labs
        ('L07', 'L79', 'L80')
    """
    found: dict[str, Note] = _read("outline.toml", dict[str, Note])
    return found


def _read(name: str, shape: Any) -> Any:
    return typed(shape, tomllib.loads((FOLDER / name).read_text("utf-8")), name)


@dataclass(frozen=True)
class LabLine:
    """A lab in a list: its words, and the verdict and date of its recorded result."""

    text: LabText
    verdict: str = ""
    date: str = ""


@dataclass(frozen=True)
class SectionContent:
    """A section with all that belongs to it, each by its id."""

    note: str
    section: Section
    items: Mapping[str, Item]
    labs: Mapping[str, LabLine]
    errata: Mapping[str, Erratum]

    def plain(self) -> dict[str, Any]:
        """Plain values, as `netwise notes --json` prints them."""
        return {
            "note": self.note,
            "heading": self.section.zh,
            "heading_en": self.section.en,
            "items": [
                {"id": name, "en": item.en, "zh": item.zh, "where": list(item.where)}
                for name, item in self.items.items()
            ],
            "labs": [
                {
                    "id": name,
                    "claim": line.text.claim,
                    "claim_zh": line.text.claim_zh,
                    "verdict": line.verdict or None,
                    "date": line.date or None,
                }
                for name, line in self.labs.items()
            ],
            "errata": [
                {"id": name, "printed": each.printed, "right": each.right}
                for name, each in self.errata.items()
            ],
        }

    @property
    def words(self) -> str:
        """Everything that is searched, in lower case."""
        parts = [f"note {self.note}", self.section.zh, self.section.en, " ".join(self.section.labs)]
        parts += [f"{name} {i.en} {i.zh} {' '.join(i.where)}" for name, i in self.items.items()]
        parts += [
            f"{name} {line.text.claim} {line.text.claim_zh} {' '.join(line.text.words)}"
            for name, line in self.labs.items()
        ]
        parts += [
            f"{name} {each.topic} {each.topic_zh} {each.right}"
            for name, each in self.errata.items()
        ]
        return "\n".join(parts).lower()


def contents() -> tuple[SectionContent, ...]:
    """All sections of all notes in order, with what belongs to them."""
    texts, known = lab_texts(), items()
    return tuple(
        SectionContent(
            number,
            section,
            {name: known[name] for name in section.items},
            {name: _lab_line(name, texts[name]) for name in section.labs if name in texts},
            _errata_of(number, section),
        )
        for number, note in notes().items()
        for section in note.sections
    )


def _lab_line(name: str, text: LabText) -> LabLine:
    result = recorded(name)
    return LabLine(text, result["verdict"], result["date"]) if result else LabLine(text)


def _errata_of(number: str, section: Section) -> dict[str, Erratum]:
    return {
        name: each
        for name, each in errata().items()
        if each.note == number
        and (section.zh.startswith(each.section) or each.section in section.zh.split(", "))
    }


def find_sections(words: str) -> tuple[SectionContent, ...]:
    """The sections that have all of some words, English or Chinese, or the id of an item, a lab or
    an erratum.

    Example:
        >>> from netwise.notes.outline import find_sections
        >>> [content.note for content in find_sections("E27")]
        ['002']
    """
    wanted = words.lower().split()
    return tuple(content for content in contents() if all(word in content.words for word in wanted))
