"""What a rule says: found, with evidence; clear; or unchecked, with the reason. A missing signal is
never clear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netwise.history import History
from netwise.tasks import CLASSIFICATION, RECONSTRUCTION, REGRESSION


@dataclass(frozen=True)
class Evidence:
    """One number that a finding rests on, and the line that it crossed.

    Args:
        what: the quantity, such as "rms(g_last) / rms(g_first)".
        value: what was seen.
        limit: the line.
        above: found above the line (True) or below it.

    Example:
        >>> import netwise as nw
        >>> print(nw.Evidence("rms(g_last) / rms(g_first)", 560.0, 25.0))
        rms(g_last) / rms(g_first) = 560, found above 25
    """

    what: str
    value: float
    limit: float
    above: bool = True

    def __str__(self) -> str:
        return f"{self.what} = {self.value:.3g}, found {'above' if self.above else 'below'} {self.limit:g}"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run, and the numbers that say so.

    Args:
        rule: name of the rule, such as "vanishing_gradient".
        sentence: what was found, with the layers and the numbers.
        layers: where, nearest to the input first; empty for the whole network.
        steps: from which to which step it was seen.
        evidence: the numbers, the deciding one first.
        strength: how far over the line, 1 at the line itself.
        explanation: what this means and why it hinders learning.
        healthy: what the same numbers look like in a run that is well.
        source: where the rule comes from.
        remedies: names of the remedies that answer it, the first to try first.
        grade: "suspect" (a line was crossed) or "cause" (it explains other findings).
        consequences: findings that this one explains.

    Example:
        >>> import netwise as nw
        >>> report = nw.diagnose(nw.fit(nw.gallery.sick["vanishing_gradient"].recipe))
        >>> report.found[0].rule, report.found[0].consequences[0].rule
        ('vanishing_gradient', 'not_learning')
    """

    rule: str
    sentence: str
    layers: tuple[str, ...] = ()
    steps: tuple[int, int] = (0, 0)
    evidence: tuple[Evidence, ...] = ()
    strength: float = 1.0
    explanation: str = ""
    healthy: str = ""
    source: str = ""
    remedies: tuple[str, ...] = ()
    grade: str = "suspect"
    consequences: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Unchecked:
    """A rule could not look: why, and what would let it.

    Example:
        >>> import netwise as nw
        >>> nw.Unchecked("no validation loss was recorded").reason
        'no validation loss was recorded'
    """

    reason: str


ORDINARY: tuple[str | None, ...] = (None, CLASSIFICATION, REGRESSION, RECONSTRUCTION)
WITH_TARGETS: tuple[str | None, ...] = (
    None,
    CLASSIFICATION,
    REGRESSION,
)  # not the inputs themselves
Answer = Finding | Unchecked | None


@dataclass(frozen=True)
class Rule:
    """A rule with its card.

    Args:
        name: as findings carry it.
        title: for people.
        find: `History -> Finding | Unchecked | None`; None: looked, and clear.
        explanation: what the illness is and does.
        healthy: what the same numbers look like in a run that is well.
        source: paper or note.
        explains: names of the findings that are consequences of this one when it came first.
        remedies: names of the remedies that may cure it, in the order to try them.
        tasks: of the runs that it is about; None stands for a run whose task is not known. Default:
            all that have targets, the inputs themselves among them.

    Example:
        >>> import netwise as nw
        >>> [rule.name for rule in nw.RULES][0]
        'weights_stand_still'
    """

    name: str
    title: str
    find: Callable[[History], Answer]
    explanation: str
    source: str
    healthy: str = ""
    explains: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    tasks: tuple[str | None, ...] = ORDINARY
