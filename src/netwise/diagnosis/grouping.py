"""Which finding stands above which: consequences under their cause, symptoms under causes, and on
top what to change first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netwise.diagnosis.rules import RULES, Finding, Rule
from netwise.grades import GRADES


def group_by_cause(found: Sequence[Finding], rules: Sequence[Rule] = RULES) -> list[Finding]:
    """Put each finding among the consequences of the first one that explains it, and what to change
    first on top.

    One finding explains another where its rule's card names the other and it began no later. Of two
    that explain each other the one that began earlier is the cause; at equal steps, the one whose
    rule is checked first. A finding is a cause where it is the only one that explains a
    consequence. A symptom stands under a cause also where no card explains it.

    Order: what is proved, exact facts, causes, suspects, symptoms; among equals, the order of the
    rules, which is that of the search: wiring, data, loss and output, start, rate, capacity,
    regularisation, time.

    Args:
        found: findings with their grades. Of one rule the most certain is kept.
        rules: whose cards are read.
    """
    return _Grouping(_one_of_each(found), rules).ordered()


def all_findings(found: Sequence[Finding]) -> list[Finding]:
    """All findings, each followed by its consequences."""
    return [each for finding in found for each in (finding, *all_findings(finding.consequences))]


def _one_of_each(found: Sequence[Finding]) -> list[Finding]:
    """Of each rule its most certain finding, then its strongest."""
    best: dict[str, Finding] = {}
    for finding in found:
        known = best.get(finding.rule)
        if known is None or _weight(finding) > _weight(known):
            best[finding.rule] = finding
    return list(best.values())


def _weight(finding: Finding) -> tuple[int, float]:
    strength = finding.strength
    return GRADES.index(finding.grade), strength if strength == strength else 0.0


class _Grouping:
    """The findings of one history while they are put under each other.

    Args:
        found: one finding of each rule.
        rules: whose cards are read.
    """

    def __init__(self, found: list[Finding], rules: Sequence[Rule]) -> None:
        self._found = found
        self._cards = {rule.name: rule for rule in rules}
        self._places = {rule.name: i for i, rule in enumerate(rules)}
        self._parent: dict[int, int] = {}  # place of a consequence -> place of its cause
        for i in range(len(found)):
            self._find_parent(i)
        self._grades = [finding.grade for finding in found]
        self._raise_grades()
        self._extra = self._symptoms_under_causes()

    def ordered(self) -> list[Finding]:
        """The findings on top, each with its consequences."""
        children: dict[int, list[int]] = {}
        for child, cause in self._parent.items():
            children.setdefault(cause, []).append(child)

        def with_consequences(i: int, on_top: bool = False) -> Finding:
            below = tuple(with_consequences(child) for child in sorted(children.get(i, [])))
            return replace(
                self._found[i],
                consequences=below,
                grade=self._grades[i],
                explained=i not in self._extra,
                undecided=on_top and self._is_symptom(i),
            )

        return [with_consequences(i, True) for i in sorted(self._top, key=self._order)]

    @property
    def _top(self) -> list[int]:
        return [i for i in range(len(self._found)) if i not in self._parent]

    def _explains(self, i: int) -> tuple[str, ...]:
        card = self._cards.get(self._found[i].rule)
        return () if card is None else card.explains

    def _is_symptom(self, i: int) -> bool:
        card = self._cards.get(self._found[i].rule)
        return card is not None and card.symptom

    def _is_exact(self, i: int) -> bool:
        card = self._cards.get(self._found[i].rule)
        return card is not None and card.exact

    def _order(self, i: int) -> tuple[bool, int, int, int]:
        """Sorts the findings on top."""
        rule, grade = self._found[i].rule, self._grades[i]
        rank = 0 if grade == "proved" else 1 if self._is_exact(i) else 2 if grade == "cause" else 3
        return self._is_symptom(i), rank, self._places.get(rule, len(self._places)), i

    def _find_parent(self, i: int) -> None:
        """Put finding i under the first one that explains it."""
        effect = self._found[i]
        for j, cause in enumerate(self._found):
            if i == j or effect.rule not in self._explains(j):
                continue
            mutual = cause.rule in self._explains(i)
            earlier = cause.steps[0] < effect.steps[0] or (
                cause.steps[0] == effect.steps[0] and (j < i or not mutual)
            )
            # A symptom is seen when enough steps are done, which may be before its cause is.
            if (earlier or self._is_symptom(i)) and not self._is_ancestor(i, j):
                self._parent[i] = j
                return

    def _is_ancestor(self, ancestor: int, i: int) -> bool:
        """Whether `ancestor` is a cause of `i`, directly or through others."""
        while i in self._parent:
            i = self._parent[i]
            if i == ancestor:
                return True
        return False

    def _raise_grades(self) -> None:
        """A suspect that alone explains a consequence is its cause. Where two could, the facts do
        not leave one explanation."""
        top = self._top
        for child, cause in self._parent.items():
            effect = self._found[child].rule
            rivals = [j for j in top if j != cause and effect in self._explains(j)]
            if not rivals and self._grades[cause] == "suspect" and not self._is_symptom(cause):
                self._grades[cause] = "cause"

    def _symptoms_under_causes(self) -> set[int]:
        """Put the symptoms that no card explains under the first cause; returns them."""
        top = sorted(self._top, key=self._order)
        causes = [i for i in top if not self._is_symptom(i) and self._grades[i] != "suspect"]
        symptoms = [i for i in top if self._is_symptom(i)] if causes else []
        for i in symptoms:
            self._parent[i] = causes[0]
        return set(symptoms)
