"""Terms of the field in English and Chinese, so that a reader of either finds the names of
netwise."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_suffix(".toml")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Term:
    """One term.

    Args:
        en: in English.
        zh: in Chinese, with other forms.
        names: names that netwise has for it.
        also: other forms in English, such as abbreviations and the names that torch has.
    """

    en: str
    zh: tuple[str, ...]
    names: tuple[str, ...]
    also: tuple[str, ...] = ()

    @property
    def english(self) -> tuple[str, ...]:
        """All forms in English, in small letters and without separators."""
        return tuple(_bare(form) for form in (*self.en.split(","), *self.also))


def _bare(form: str) -> str:
    return re.sub(r"[\s_-]", "", form).lower()


@cache
def terms() -> tuple[Term, ...]:
    """All terms, in the order of the file.

    Example:
        >>> from netwise.glossary import terms
        >>> [term.names for term in terms() if "梯度消失" in term.zh]
        [('vanishing_gradient',)]
    """
    table = tomllib.loads(FILE.read_text("utf-8"))
    return tuple(
        Term(each["en"], tuple(each["zh"]), tuple(each["names"]), tuple(each.get("also", ())))
        for each in table["term"]
    )


def names_for(text: str) -> tuple[str, ...]:
    """The names of netwise for a term of the field in English or Chinese; none for other texts.

    In English the whole text is the term. In Chinese the longest terms that stand in the text
    count; where there are none, those that it is a part of.

    Example:
        >>> from netwise.glossary import names_for
        >>> names_for("受限玻尔兹曼机"), names_for("Xavier")
        (('RBM',), ('Glorot',))
    """
    if not CHINESE.search(text):
        return _names(term for term in terms() if _bare(text) in term.english)
    forms = [(form, term) for term in terms() for form in term.zh]
    inside = [(len(form), term) for form, term in forms if form in text]
    longest = max((length for length, _ in inside), default=0)
    found = [term for length, term in inside if length == longest]
    if not found and len(text) > 1:
        found = [term for form, term in forms if text in form]
    return _names(found)


def _names(found: Iterable[Term]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for term in found for name in term.names))
