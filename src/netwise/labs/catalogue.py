"""What each lab is about, in words: its claim, and what a reader needs to learn from it. Reading
them loads no torch.

The texts of lab L07 stand in `texts/L07.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from netwise.schema import typed

TEXTS_FOLDER = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class Variation:
    """One thing to change in an experiment.

    Args:
        text: what is changed, and what to look for.
        set: the settings of the lab that change, by name. Default: none.
        run: another command than the lab, for labs without settings. Default: none.
    """

    text: str
    set: Mapping[str, Any] = field(default_factory=dict)
    run: str = ""

    def command(self, lab: str) -> str:
        """The command that runs it.

        Example:
            >>> from netwise.labs.catalogue import Variation
            >>> Variation("A shorter run.", {"epochs": 5}).command("L07")
            'netwise lab L07 --set epochs=5'
        """
        if self.run:
            return self.run
        changes = " ".join(f"--set {name}={_as_text(value)}" for name, value in self.set.items())
        return f"netwise lab {lab} {changes}"


def _as_text(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"'[{', '.join(_as_text(item) for item in value)}]'"
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class LabText:
    """The words of a lab.

    Args:
        claim: what is claimed, in a sentence.
        claim_zh: the same in Chinese.
        note: the study note that claims it, "000" to "004"; "" for none.
        section: the heading in the note, in Chinese.
        section_en: the heading in English.
        why: why one would believe it: the argument, in one to three sentences.
        experiment: what is done, in two sentences.
        meaning: what was found and what it means in practice, in one to four sentences. It is
            written after the recorded result.
        source: the publication behind the claim.
        erratum: the id of the erratum of the note that it shows, such as "E16"; "" for none.
        words: words by which the lab is found besides those of the claim, in English and Chinese.
        change: what to vary.
    """

    claim: str
    claim_zh: str = ""
    note: str = ""
    section: str = ""
    section_en: str = ""
    why: str = ""
    experiment: str = ""
    meaning: str = ""
    source: str = ""
    erratum: str = ""
    words: tuple[str, ...] = ()
    change: tuple[Variation, ...] = ()


def read_text(path: Path) -> LabText:
    """The words of a lab from its file.

    Raises:
        SchemaError: a field is unknown, missing or of another type.
    """
    text: LabText = typed(LabText, tomllib.loads(path.read_text("utf-8")), path.name)
    return text


@cache
def lab_texts() -> Mapping[str, LabText]:
    """The words of all labs by id, in order.

    Example:
        >>> from netwise.labs.catalogue import lab_texts
        >>> lab_texts()["L58"].claim
        'Random search beats grid search.'
    """
    return {path.stem: read_text(path) for path in sorted(TEXTS_FOLDER.glob("L*.toml"))}


def find_labs(words: str) -> dict[str, LabText]:
    """The labs whose text has all of some words, English or Chinese, in any case.

    Words of the claim and of `LabText.words` count before those of the rest: where some labs have
    them there, only these are found.

    Example:
        >>> from netwise.labs.catalogue import find_labs
        >>> "L58" in find_labs("random SEARCH")
        True
    """
    wanted = words.lower().split()
    for parts in (_headline, _everything):
        found = {
            name: text
            for name, text in lab_texts().items()
            if all(word in parts(text).lower() for word in wanted)
        }
        if found:
            return found
    return {}


def _headline(text: LabText) -> str:
    return "\n".join((text.claim, text.claim_zh, *text.words))


def _everything(text: LabText) -> str:
    sections = (text.section, text.section_en, text.why, text.experiment, text.meaning, text.source)
    return "\n".join((_headline(text), *sections))


def words_of_labs() -> list[str]:
    """All single words of four letters or more by which labs are found, for those that are
    misspelt."""
    texts = " ".join(_headline(text).lower() for text in lab_texts().values())
    return sorted(set(re.findall(r"[a-z]{4,}", texts)))
