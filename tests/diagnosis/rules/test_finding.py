"""Evidence as text, and the cards of rules."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.diagnosis.rules.finding import ORDINARY, WITH_TARGETS


@pytest.mark.parametrize(
    ("evidence", "text"),
    [
        (nw.Evidence("x", 560.0, 25.0), "x: 560 (limit 25)"),
        (nw.Evidence("x", 1e-5, 1e-4, above=False), "x: 1e-05 (lower limit 0.0001)"),
        (nw.Evidence("x", 123456.7, 5.0), "x: 123,457 (limit 5)"),
        (nw.Evidence("x", 1.0, 0.99, percent=True), "x: 100 % (limit 99 %)"),
        (nw.Evidence("x", 0.005, 0.02, False, percent=True), "x: 0.5 % (lower limit 2 %)"),
        (nw.Evidence("x", 4.2e9, 25.0), "x: 4.2e+09 (limit 25)"),
    ],
)
def test_evidence_is_shown_with_its_unit_and_its_limit(evidence: nw.Evidence, text: str) -> None:
    assert str(evidence) == text


def test_rules_are_about_runs_with_targets_by_default() -> None:
    rule = nw.Rule("mine", "Mine", lambda history: None, "It is mine.", "me")
    assert rule.tasks == ORDINARY
    assert set(WITH_TARGETS) < set(ORDINARY)
    assert "density" not in ORDINARY


def test_a_rule_about_other_tasks_is_in_no_list() -> None:
    rule = nw.Rule("mine", "Mine", lambda history: None, "It is mine.", "me", tasks=("density",))
    history = nw.History.from_rows([], facts=nw.RunFacts(task="classification"))
    report = nw.diagnose(history, rules=(rule,))
    assert (report.found, report.clear, report.unchecked) == ((), (), ())
