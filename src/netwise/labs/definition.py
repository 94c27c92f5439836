"""What a lab is: a claim of the notes, run again, with numbers, criteria that can fail, a figure
and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netwise.recipe.recipe import Recipe

CONFIRMED, REFUTED, PARTLY = "confirmed", "refuted", "partly confirmed"


@dataclass(frozen=True)
class Criterion:
    """One statement that the numbers bear out or not.

    Args:
        says: the statement.
        seen: the number that decides.
        holds: whether it does.
        of_the_note: it is the note's own statement; others test what surrounds it.
    """

    says: str
    seen: float
    holds: bool
    of_the_note: bool = True


@dataclass(frozen=True)
class LabResult:
    """What a lab found.

    Args:
        numbers: everything that was measured, by name.
        criteria: what was asked of them.
        figure: an SVG picture.
        recipes: hashes of the recipes that were run, by arm.
        seeds: that were used; empty where nothing is random.

    Example:
        >>> import netwise as nw
        >>> nw.lab("L01").run().verdict
        'confirmed'
    """

    numbers: Mapping[str, float]
    criteria: tuple[Criterion, ...]
    figure: str
    recipes: Mapping[str, str]
    seeds: tuple[int, ...] = ()

    @property
    def verdict(self) -> str:
        """ "confirmed" where all of the note's statements hold, "refuted" where none does."""
        claims = [criterion.holds for criterion in self.criteria if criterion.of_the_note]
        if all(claims):
            return CONFIRMED
        return PARTLY if any(claims) else REFUTED

    def plain(self) -> dict[str, Any]:
        """As plain values, without the figure."""
        return {
            "verdict": self.verdict,
            "numbers": dict(self.numbers),
            "recipes": dict(self.recipes),
            "seeds": list(self.seeds),
            "criteria": [
                {"says": c.says, "seen": c.seen, "holds": c.holds, "of_the_note": c.of_the_note}
                for c in self.criteria
            ],
        }


@dataclass(frozen=True)
class Lab:
    """A claim as an experiment that anyone can run again.

    Args:
        name: its number in the catalogue of claims, such as "L01".
        claim: what the notes say, in a sentence.
        setting: how it is run.
        source: the note.
        run: runs it.
        arms: the recipes that it runs, by name; a kept result counts as long as their hashes are
            the same.
        slow: takes minutes, or data that are not bundled: run by its own command, `netwise lab NAME
            --record`.

    Example:
        >>> import netwise as nw
        >>> [lab.name for lab in nw.LABS][:2]
        ['L01', 'L02']
    """

    name: str
    claim: str
    setting: str
    source: str
    run: Callable[[], LabResult]
    arms: Callable[[], Mapping[str, Recipe]] = dict
    slow: bool = False
