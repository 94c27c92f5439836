"""A finding is reported once when it holds and once when it has healed."""

from __future__ import annotations

from collections.abc import Mapping

import netwise as nw
from netwise.diagnosis.live_findings import FindingEvent, LiveFindings, is_at_least
from netwise.diagnosis.rules.finding import Answer

FOUND, CLEAR, OPEN = "found", "clear", "open"


def rule(name: str, answers: Mapping[int, str], **card: object) -> nw.Rule:
    """A rule whose answer depends on the step alone."""

    def find(history: nw.History) -> Answer:
        answer = answers.get(history.ended.step, CLEAR)
        if answer == OPEN:
            return nw.Unchecked("it is not known")
        return nw.Finding(name, "It is.", steps=(1, 2)) if answer == FOUND else None

    return nw.Rule(name, name.capitalize(), find, "", "", **card)  # type: ignore[arg-type]


def lines(*rules: nw.Rule, checks: int = 8) -> list[str]:
    live = LiveFindings(rules)
    ended = [nw.RunEnd("running", "", step) for step in range(1, checks + 1)]
    events = [e for each in ended for e in live.check(nw.History({}, ended=each))]
    return [str(event) for event in events]


def test_a_suspect_has_to_hold_at_two_checks_in_a_row_and_an_exact_fact_at_one() -> None:
    assert lines(rule("a", {2: FOUND, 4: FOUND, 5: FOUND, 6: FOUND, 7: FOUND, 8: FOUND})) == [
        "step 5: A (suspect). It is."
    ]
    assert lines(rule("a", dict.fromkeys(range(2, 9), FOUND), exact=True)) == [
        "step 2: A (cause). It is."
    ]


def test_what_has_healed_is_reported_once_and_may_come_again() -> None:
    holds = dict.fromkeys((1, 2, 3, 7, 8), FOUND)
    assert lines(rule("a", holds)) == [
        "step 2: A (suspect). It is.",
        "step 5: healed: a.",
        "step 8: A (suspect). It is.",
    ]


def test_a_rule_that_cannot_be_checked_has_not_healed() -> None:
    answers = {1: FOUND, 2: FOUND, **dict.fromkeys(range(3, 9), OPEN)}
    live = LiveFindings((rule("a", answers),))
    for step in range(1, 9):
        live.check(nw.History({}, ended=nw.RunEnd("running", "", step)))
    assert [each.rule for each in live.findings] == ["a"]


def test_symptoms_and_what_only_the_end_shows_are_left_out() -> None:
    always = dict.fromkeys(range(9), FOUND)
    assert lines(rule("a", always, symptom=True), rule("b", always, at_end=True)) == []


def test_a_finding_that_becomes_more_certain_is_reported_again() -> None:
    always, late = dict.fromkeys(range(9), FOUND), dict.fromkeys(range(5, 9), FOUND)
    rules = (rule("a", always, explains=("b",)), rule("b", late))
    assert lines(*rules) == ["step 2: A (suspect). It is.", "step 5: A (cause). It is."]


def test_the_model_is_named_where_there_are_several() -> None:
    event = FindingEvent(nw.Finding("a_b", "It is."), 3, model="Net")
    assert str(event) == "step 3, Net: A b (suspect). It is."


def test_grades_are_ordered() -> None:
    assert is_at_least("proved", "cause")
    assert is_at_least("cause", "cause")
    assert not is_at_least("suspect", "cause")
    assert not is_at_least("cause", "cause", above=True)
