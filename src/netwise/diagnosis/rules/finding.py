"""What a rule is and what it returns: a finding with its evidence, None, or why it was not checked.

A rule whose signals are missing returns `Unchecked`, never None: "no sign of a fault" means that
the rule has read the numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from netwise.history import History
from netwise.printed_text import printable
from netwise.tasks import CLASSIFICATION, RECONSTRUCTION, REGRESSION


@dataclass(frozen=True)
class Evidence:
    """One number that a finding rests on, and the limit that it crossed.

    Args:
        what: the quantity, such as "rms(g_last) / rms(g_first)".
        value: what was measured.
        limit: where the finding begins.
        above: whether values above the limit are a finding (True) or those below it.
        percent: whether value and limit are shares, to be shown in percent.

    Example:
        >>> import netwise as nw
        >>> print(nw.Evidence("rms(g_last) / rms(g_first)", 560.0, 25.0))
        rms(g_last) / rms(g_first): 560 (limit 25)
        >>> print(nw.Evidence("validation accuracy", 0.08, 0.5, above=False, percent=True))
        validation accuracy: 8 % (lower limit 50 %)
    """

    what: str
    value: float
    limit: float
    above: bool = True
    percent: bool = False

    @property
    def value_text(self) -> str:
        """The value for people, with its unit."""
        return f"{_number(100 * self.value)} %" if self.percent else _number(self.value)

    @property
    def limit_text(self) -> str:
        """The limit for people, such as "limit 25" or "lower limit 50 %"."""
        number = f"{100 * self.limit:g} %" if self.percent else f"{self.limit:g}"
        return f"{'' if self.above else 'lower '}limit {number}"

    def __str__(self) -> str:
        return printable(f"{self.what}: {self.value_text} ({self.limit_text})")


def _number(value: float) -> str:
    """Three digits, with thousands separated and no exponent below a million."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


MOST = 1e6  # strength of a finding whose numbers are infinite


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run, and the numbers that show it.

    Args:
        rule: name of the rule, such as "vanishing_gradient".
        sentence: what was found, with the layers and the numbers.
        layers: where, nearest to the input first; empty for the whole network.
        steps: first and last step at which it was seen.
        evidence: the numbers, the deciding one first.
        strength: how far over the limit, 1 at the limit itself.
        explanation: what this means and why it hinders learning.
        healthy: what the same numbers are in a run that learns well.
        source: the paper or book that the rule is from.
        remedies: names of the remedies, in the order to try them. Default: those of the rule.
        grade: "suspect" (a limit was crossed), "cause" (the facts leave one explanation) or
            "proved" (a trial showed it).
        change: lines of code that cure it in a training loop of one's own, with the names of the
            program where they are known. Default: those of the rule.
        consequences: findings that this one explains.
        title: the rule's title, for people; "" for the rule's name.
        explained: of a consequence, whether the card of the finding above it names it. A symptom
            stands under a cause also where none does.
        undecided: whether this is a symptom on top of a report, whose cause is not known.

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
    change: str = ""
    consequences: tuple[Finding, ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        """Keep `strength` a number: ratios of a run that diverged may be none."""
        if not isfinite(self.strength):
            object.__setattr__(self, "strength", MOST if self.strength > 0 else 1.0)

    explained: bool = True
    undecided: bool = False


@dataclass(frozen=True)
class Unchecked:
    """Why a rule could not be checked, and what to do so that it can.

    Example:
        >>> import netwise as nw
        >>> nw.Unchecked("no validation loss was recorded").reason
        'no validation loss was recorded'
    """

    reason: str


# Tasks that a rule may be about. None: a run whose task is not known.
ORDINARY: tuple[str | None, ...] = (None, CLASSIFICATION, REGRESSION, RECONSTRUCTION)
WITH_TARGETS: tuple[str | None, ...] = (None, CLASSIFICATION, REGRESSION)

Answer = Finding | Unchecked | None


@dataclass(frozen=True)
class Rule:
    """A rule with its card.

    Args:
        name: the name of its findings.
        title: for people: the fault as a noun phrase.
        find: reads a history and returns a `Finding`, None (no sign of the fault), or `Unchecked`.
        explanation: what the fault is and does.
        source: the paper or book that it is from.
        healthy: what the same numbers are in a run that learns well.
        explains: names of the findings that are consequences of this one where it came first.
        remedies: names of the remedies that may cure it, in the order to try them.
        tasks: of the runs that it is about; None: a run whose task is not known. Default: all with
            targets, also where the targets are the inputs themselves.
        own_loops: whether only a training loop of the user's own can have the fault. Reports of
            runs of `fit` leave such rules out.
        own_modules: the same, but a module of the user's own can have it as well. Reports of runs
            of `fit` have such rules where the connections were read.
        of_recipes: whether only runs of `fit` have what the rule reads. Reports of a loop of the
            user's own leave it out.
        exact: whether the rule rests on facts that leave one explanation, such as which weights an
            optimizer holds. Its findings are causes, and need no run that has not learned.
        symptom: whether its findings are only what a fault looks like from outside, such as a loss
            that does not fall. They are never above a finding that can be a cause.
        change: lines of code that cure the fault in a training loop of one's own.
        at_end: whether only the end of a run shows the fault, such as too few steps. Not checked
            while a run goes on.
        at_once: whether a run that goes on is told at the first check: what was seen cannot become
            untrue, such as a value that is not finite. Exact rules are told at once, too.

    Example:
        >>> import netwise as nw
        >>> [rule.name for rule in nw.RULES][0]
        'step_fails'
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
    own_loops: bool = False
    own_modules: bool = False
    of_recipes: bool = False
    exact: bool = False
    symptom: bool = False
    change: str = ""
    at_end: bool = False
    at_once: bool = False

    def is_about(self, history: History) -> bool:
        """Whether a run of this task, trained in this way, can have the fault."""
        if history.facts.task not in self.tasks:
            return False
        if not history.made_by.recipe:
            return not self.of_recipes
        return not self.own_loops and not (self.own_modules and history.wiring is None)
