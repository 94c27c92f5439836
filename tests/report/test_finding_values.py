"""What a page shows of a finding: what to change first, in the words of the terminal."""

from __future__ import annotations

from dataclasses import replace

import netwise as nw
from netwise.diagnosis.report import Report
from netwise.report.finding_values import report_values
from netwise.report.program_page import program_page
from report.html_page import check_page

FOUND = nw.Finding(
    "rate_too_high",
    "Steps of <fc1> are too large.",
    evidence=(nw.Evidence("steps", 20.0, 1.0), nw.Evidence("none", 1.0, float("inf"))),
    explanation="It overshoots.",
    healthy="Small steps.",
    source="A paper.",
    remedies=("use_adam",),
    grade="cause",
    change="optimizer = Adam(lr=0.001)",
    title="Learning rate too high",
)
HISTORY = nw.History.from_rows([{"step": 0, "loss": 1.0}, {"step": 1, "loss": 0.5}])


def page(report: Report) -> str:
    text = program_page(HISTORY, diagnosis=report)
    check_page(text)
    return text


def test_a_loop_is_shown_lines_of_code_and_a_recipe_its_remedies() -> None:
    loop = page(Report((FOUND,), (), ()))
    assert "<pre>optimizer = Adam(lr=0.001)</pre>" in loop
    assert "use_adam" not in loop
    assert '<span class="grade cause"' in loop
    assert "How sure: cause, the facts leave this explanation." in loop
    recipe = page(Report((FOUND,), (), (), of_recipe=True))
    assert "<strong>use_adam</strong>" in recipe
    assert "Adam(lr=0.001)" not in recipe


def test_a_loop_is_shown_the_remedies_by_hand_where_a_card_has_no_lines() -> None:
    (values,) = report_values(Report((replace(FOUND, change=""),), (), ()))["found"]
    assert values["remedies"][0]["by_hand"]


def test_a_lone_symptom_offers_trials() -> None:
    lone = replace(FOUND, undecided=True)
    text = page(Report((lone,), (), ()))
    assert "nw.diagnose(w, trials=True)" in text
    assert "use_adam" not in text
    trial = nw.ShortTrial("rate", "the rate", "undecided", "All fall alike.", steps=1200)
    tried = page(Report((lone,), (), (), (trial,)))
    assert "nw.diagnose(w, trials=True)" not in tried
    assert "<td>All fall alike.</td>" in tried
    assert "1,200" in tried


def test_a_symptom_below_a_cause_that_does_not_explain_it_is_no_consequence() -> None:
    seen = replace(FOUND, rule="flat", title="Flat", explained=False)
    text = page(Report((replace(FOUND, consequences=(seen,)),), (), ()))
    assert "<h3>Seen too: Flat</h3>" in text
    explained = replace(seen, explained=True)
    text = page(Report((replace(FOUND, consequences=(explained,)),), (), ()))
    assert "<h3>Consequence: Flat</h3>" in text


def test_numbers_have_a_bar_and_infinite_limits_no_row() -> None:
    (values,) = report_values(Report((FOUND,), (), ()))["found"]
    assert [row[:3] for row in values["evidence"]] == [("steps", "20", "limit 1")]
    assert "&lt;fc1&gt;" in page(Report((FOUND,), (), ()))
    assert '<svg class="bar"' in page(Report((FOUND,), (), ()))


def test_nothing_found_has_the_words_of_the_terminal() -> None:
    report = Report((), ("overfitting",), (("underfitting", "it is short"),))
    text = page(report)
    assert str(report).splitlines()[0] == "No problem found."
    assert '<p class="good">No problem found.</p>' in text
    assert "No sign of: overfitting." in text
    assert "<summary>Not checked: 1 rule</summary>" in text
