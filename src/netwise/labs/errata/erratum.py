"""An erratum of a study note, as it is listed; reading the list loads no torch."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from netwise.schema import typed

FILE = Path(__file__).parent / "errata.toml"


@dataclass(frozen=True)
class Erratum:
    """What a note prints, and what is right.

    Args:
        note: "000" to "004".
        section: the heading in the note, or its beginning.
        topic, topic_zh: what it is about, in English and Chinese.
        printed: what the note says, in our words or its formula.
        right: what is right, and why.
        lab: the lab that measures it; "" for none.
    """

    note: str
    section: str
    topic: str
    topic_zh: str
    printed: str
    right: str
    lab: str = ""


@dataclass(frozen=True)
class Check:
    """What a check of an erratum measured.

    Args:
        measured: the numbers, by what they are.
        printed_fails: whether they contradict what is printed.
        right_holds: whether they agree with what is right.
    """

    measured: Mapping[str, float]
    printed_fails: bool
    right_holds: bool


@cache
def errata() -> Mapping[str, Erratum]:
    """All errata by id, in order.

    Example:
        >>> from netwise.labs.errata.erratum import errata
        >>> errata()["E24"].right
        '∂Cx / ∂b.'
    """
    found: dict[str, Erratum] = typed(
        dict[str, Erratum], tomllib.loads(FILE.read_text("utf-8")), FILE.name
    )
    return found
