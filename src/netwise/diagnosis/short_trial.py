"""What one short trial on copies of a program showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netwise.printed_text import printable

PROVED = "proved"
CLEARED = "cleared"
UNDECIDED = "undecided"
NOT_POSSIBLE = "not possible"
VERDICTS = (PROVED, CLEARED, UNDECIDED, NOT_POSSIBLE)


@dataclass(frozen=True)
class ShortTrial:
    """What one trial changed and measured, and what follows.

    Args:
        name: of the trial, such as "rate".
        changed: what differs between the runs that are compared.
        verdict: "proved" (the change cures a fault), "cleared" (the suspected fault is none),
            "undecided" or "not possible".
        sentence: what was measured and what follows, for people.
        finding: name of the rule whose finding it proves or clears; "" without one.
        numbers: what was measured, by name.
        seconds, steps: cost of the trial: time and training steps.
        change: lines of code for the program with what the trial proved; "" for those of the rule.

    Example:
        >>> import netwise as nw
        >>> outcome = nw.ShortTrial("rate", "the learning rate", "proved", "At 0.1 it falls.")
        >>> print(outcome)
        rate trial: proved. At 0.1 it falls. (0 steps, 0.0 s)
    """

    name: str
    changed: str
    verdict: str
    sentence: str
    finding: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    steps: int = 0
    change: str = ""

    def __str__(self) -> str:
        cost = f"{self.steps:,} steps, {self.seconds:.1f} s"
        return printable(f"{self.name} trial: {self.verdict}. {self.sentence} ({cost})")
