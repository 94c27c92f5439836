"""What trials change in a report."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.trials import conclusions
from netwise.trials.conclusions import concluded, needs_trials

NUMBERS = {"end of the program": 0.2, "with the change": 0.8}


def finding(rule: str, **fields: object) -> nw.Finding:
    return nw.Finding(rule, f"{rule}.", **fields)  # type: ignore[arg-type]


def trial(verdict: str, rule: str) -> nw.ShortTrial:
    return nw.ShortTrial("x", "a change", verdict, "It rises.", rule, NUMBERS)


def report(*found: nw.Finding) -> nw.Report:
    return nw.Report(found, ("saturation",), ())


def test_a_proof_raises_its_finding_to_the_top() -> None:
    after = concluded(
        report(finding("dead_relu"), finding("rate_too_high")), (trial("proved", "rate_too_high"),)
    )
    first = after.found[0]
    assert (first.rule, first.grade) == ("rate_too_high", "proved")
    assert first.evidence[-1].value == 0.8 - 0.2
    assert "A trial proves it: It rises." in first.sentence
    assert len(after.trials) == 1


def test_a_proof_makes_a_finding_that_no_rule_made() -> None:
    after = concluded(report(finding("not_learning")), (trial("proved", "too_short"),))
    (first,) = after.found
    assert (first.rule, first.grade) == ("too_short", "proved")
    assert first.change
    assert [each.rule for each in first.consequences] == ["not_learning"]
    known = concluded(report(), (trial("proved", "saturation"),))
    assert known.found[0].explanation
    assert known.clear == ()


def test_a_cleared_suspect_is_no_sign() -> None:
    before = report(finding("rate_too_low"), finding("vanishing_gradient"))
    outcomes = (trial("cleared", "rate_too_low"), trial("cleared", "vanishing_gradient"))
    after = concluded(before, outcomes)
    assert after.names == ("vanishing_gradient",)  # no trial of its own
    assert after.clear == ("saturation", "rate_too_low")
    assert after.trials == outcomes


def test_causes_are_not_cleared() -> None:
    before = report(finding("rate_too_low", grade="cause"))
    assert concluded(before, (trial("cleared", "rate_too_low"),)).found == before.found


def test_undecided_trials_change_nothing() -> None:
    before = report(finding("rate_too_low"))
    assert concluded(before, (trial("undecided", "rate_too_low"),)).found == before.found


def test_exact_facts_need_no_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conclusions, "EXACT", {"graph_cut"})
    assert needs_trials(report(finding("rate_too_low")))
    assert not needs_trials(report(finding("rate_too_low"), finding("graph_cut")))
