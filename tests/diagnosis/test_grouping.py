"""Causes above consequences, symptoms never on top of a cause, and what comes first."""

from __future__ import annotations

from dataclasses import replace

import netwise as nw
from netwise.diagnosis.grouping import all_findings, group_by_cause


def finding(rule: str, first: int = 0, **fields: object) -> nw.Finding:
    made = nw.Finding(rule, f"{rule}.", steps=(first, 99), evidence=(nw.Evidence("x", 2.0, 1.0),))
    return replace(made, **fields)  # type: ignore[arg-type]


def rule(name: str, *explains: str, exact: bool = False, symptom: bool = False) -> nw.Rule:
    return nw.Rule(
        name, name, lambda history: None, "", "", explains=explains, exact=exact, symptom=symptom
    )


RULES = (
    rule("data"),
    rule("wiring", exact=True),
    rule("start", "slow", "flat"),
    rule("rate", "slow"),
    rule("slow"),
    rule("flat", symptom=True),
)


def grouped(*found: nw.Finding) -> list[nw.Finding]:
    return group_by_cause(found, RULES)


def test_of_two_that_explain_each_other_the_earlier_is_the_cause() -> None:
    one = group_by_cause([finding("exploding_gradient", 0), finding("rate_too_high", 1)])
    assert [f.rule for f in one] == ["exploding_gradient"]
    other = group_by_cause([finding("exploding_gradient", 30), finding("rate_too_high", 1)])
    assert [f.rule for f in other] == ["rate_too_high"]


def test_an_earlier_finding_is_no_consequence() -> None:
    assert [f.rule for f in grouped(finding("start", 5), finding("slow", 1))] == ["start", "slow"]
    assert [f.rule for f in grouped(finding("start", 1), finding("slow", 5))] == ["start"]


def test_grouping_loses_no_finding_and_puts_none_under_itself() -> None:
    names = [each.name for each in nw.RULES]
    for first in range(3):
        found = group_by_cause([finding(name, (i * 7 + first) % 5) for i, name in enumerate(names)])
        assert sorted(f.rule for f in all_findings(found)) == sorted(names)


def test_the_only_explanation_of_a_consequence_is_a_cause_and_one_of_two_a_suspect() -> None:
    (only,) = grouped(finding("start", 1), finding("slow", 5))
    assert (only.rule, only.grade) == ("start", "cause")
    both = grouped(finding("start", 1), finding("rate", 1), finding("slow", 5))
    assert [(f.rule, f.grade) for f in both] == [("start", "suspect"), ("rate", "suspect")]
    assert both[0].consequences[0].rule == "slow"


def test_a_symptom_is_below_a_cause_that_does_not_explain_it() -> None:
    (top,) = grouped(finding("flat"), finding("wiring", 9, grade="cause"))
    assert (top.rule, [f.rule for f in top.consequences]) == ("wiring", ["flat"])
    assert not top.consequences[0].explained
    (top,) = grouped(finding("flat"), finding("start", 9))  # seen earlier, and explained
    assert (top.rule, top.consequences[0].explained) == ("start", True)


def test_a_symptom_is_below_no_mere_suspect_that_does_not_explain_it() -> None:
    top = grouped(finding("flat"), finding("data"))
    assert [(f.rule, f.undecided) for f in top] == [("data", False), ("flat", True)]


def test_proved_then_exact_then_causes_then_suspects_in_the_order_of_the_rules() -> None:
    top = grouped(
        finding("rate"),
        finding("data"),
        finding("start", grade="cause"),
        finding("wiring", grade="cause"),
    )
    assert [f.rule for f in top] == ["wiring", "start", "data", "rate"]
    top = grouped(finding("wiring", grade="cause"), finding("data", grade="proved"))
    assert [f.rule for f in top] == ["data", "wiring"]


def test_of_one_rule_the_most_certain_finding_is_kept() -> None:
    twice = [finding("data", strength=9.0), finding("data", grade="proved")]
    assert [f.grade for f in grouped(*twice)] == ["proved"]
    assert [f.strength for f in grouped(finding("data"), finding("data", strength=9.0))] == [9.0]


def test_a_finding_of_a_rule_without_a_card_comes_last() -> None:
    assert [f.rule for f in grouped(finding("mine"), finding("data"))] == ["data", "mine"]
