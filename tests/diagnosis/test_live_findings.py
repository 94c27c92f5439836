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


def lines(*rules: nw.Rule, checks: int = 10) -> list[str]:
    live = LiveFindings(rules)
    ended = [nw.RunEnd("running", "", 100 + step) for step in range(1, checks + 1)]
    events = [e for each in ended for e in live.check(nw.History({}, ended=each))]
    return [str(event) for event in events]


def at(*checks: int) -> dict[int, str]:
    return {100 + check: FOUND for check in checks}


def test_a_suspect_has_to_hold_at_three_checks_in_a_row_and_an_exact_fact_at_one() -> None:
    assert lines(rule("a", at(1, 2, 4, 5, 6, 7)), checks=8) == ["step 106: A (suspect). It is."]
    assert lines(rule("a", at(*range(2, 11)), exact=True)) == ["step 102: A (cause). It is."]


def test_a_run_that_has_just_begun_has_no_suspects() -> None:
    live = LiveFindings((rule("a", dict.fromkeys(range(100), FOUND)),))
    early = [live.check(nw.History({}, ended=nw.RunEnd("running", "", n))) for n in (5, 10, 20, 40)]
    assert early == [[], [], [], []]
    (event,) = live.check(nw.History({}, ended=nw.RunEnd("running", "", 50)))
    assert event.step == 50


def test_what_has_healed_is_reported_once_and_may_come_again() -> None:
    assert lines(rule("a", at(1, 2, 3, 4, 8, 9, 10))) == [
        "step 103: A (suspect). It is.",
        "step 107: healed: a.",
        "step 110: A (suspect). It is.",
    ]


def test_a_rule_that_cannot_be_checked_has_not_healed() -> None:
    answers = {**at(1, 2, 3), **dict.fromkeys(range(104, 110), OPEN)}
    live = LiveFindings((rule("a", answers),))
    for step in range(101, 110):
        live.check(nw.History({}, ended=nw.RunEnd("running", "", step)))
    assert [each.rule for each in live.findings] == ["a"]


def test_symptoms_and_what_only_the_end_shows_are_left_out() -> None:
    always = at(*range(11))
    assert lines(rule("a", always, symptom=True), rule("b", always, at_end=True)) == []


def test_a_finding_that_becomes_more_certain_is_reported_again() -> None:
    always, late = at(*range(11)), at(*range(5, 11))
    rules = (rule("a", always, explains=("b",)), rule("b", late))
    assert lines(*rules) == ["step 103: A (suspect). It is.", "step 105: A (cause). It is."]


def test_the_model_is_named_where_there_are_several() -> None:
    event = FindingEvent(nw.Finding("a_b", "It is."), 3, model="Net")
    assert str(event) == "step 3, Net: A b (suspect). It is."


def test_grades_are_ordered() -> None:
    assert is_at_least("proved", "cause")
    assert is_at_least("cause", "cause")
    assert not is_at_least("suspect", "cause")
    assert not is_at_least("cause", "cause", above=True)
