"""Rules that are checked while `fit` trains, and end the run where one of them finds something."""

from __future__ import annotations

from collections.abc import Callable, Collection

from netwise.diagnosis.live_findings import GROWTH, LiveFindings, is_at_least, least_grade
from netwise.diagnosis.report_text import inside_sentence, rule_title
from netwise.history import History


class StopOnFinding:
    """Diagnoses a run after some of its epochs, at distances that grow.

    Args:
        grades: of which a finding, or one that is more certain, ends the run.

    Raises:
        ValueError: `grades` holds another word than a grade.
    """

    def __init__(self, grades: Collection[str]) -> None:
        self._least = least_grade(grades)
        self._live, self._due = LiveFindings(), 1

    def reason(self, epoch: int, history: Callable[[], History]) -> str | None:
        """Why the run is to end, as a part of a sentence; None where it goes on.

        Args:
            epoch: how many are done.
            history: makes the history of the run so far.
        """
        if self._least is None or epoch < self._due:
            return None
        self._due = int(epoch * GROWTH) + 1
        for event in self._live.check(history()):
            finding = event.finding
            if not event.healed and is_at_least(finding.grade, self._least):
                title = inside_sentence(finding.title or rule_title(finding.rule))
                return f"{title} ({finding.grade}). {finding.sentence.rstrip('.')}"
        return None
