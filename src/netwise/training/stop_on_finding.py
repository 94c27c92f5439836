"""Rules that are checked while `fit` trains, and end the run where one of them finds something."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from netwise.history import History

if TYPE_CHECKING:
    from netwise.diagnosis.live_findings import LiveFindings


class StopOnFinding:
    """Diagnoses a run after some of its epochs, at distances that grow.

    Args:
        grades: of which a finding, or one that is more certain, ends the run.

    Raises:
        ValueError: `grades` holds another word than a grade.
    """

    def __init__(self, grades: Collection[str]) -> None:
        self._least: str | None = None
        self._live: LiveFindings | None = None
        self._due = 1
        if isinstance(grades, str) or grades:  # heavy: all rules
            from netwise.diagnosis.live_findings import LiveFindings, least_grade

            self._least, self._live = least_grade(grades), LiveFindings()

    def reason(self, epoch: int, history: Callable[[], History]) -> str | None:
        """Why the run is to end, as a part of a sentence; None where it goes on.

        Args:
            epoch: how many are done.
            history: makes the history of the run so far.
        """
        if self._live is None or self._least is None or epoch < self._due:
            return None
        from netwise.diagnosis.live_findings import GROWTH, is_at_least  # heavy
        from netwise.diagnosis.report_text import inside_sentence, rule_title  # heavy

        self._due = int(epoch * GROWTH) + 1
        for event in self._live.check(history()):
            finding = event.finding
            if not event.healed and is_at_least(finding.grade, self._least):
                title = inside_sentence(finding.title or rule_title(finding.rule))
                return f"{title} ({finding.grade}). {finding.sentence.rstrip('.')}"
        return None
