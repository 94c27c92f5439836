"""What a person reads: the grade, the evidence, what to change, and what was checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import netwise as nw
from netwise.diagnosis.report import Report
from netwise.diagnosis.report_text import (
    NO_CAUSE,
    NO_PROBLEM,
    TRIALS_OF_A_LOOP,
    TRIALS_OF_A_RUN,
    inside_sentence,
)

TRIAL = nw.ShortTrial("rate", "the rate", "undecided", "All fall alike.")
FOUND = nw.Finding(
    "rate",
    "The steps of fc1 are too large.",
    evidence=(nw.Evidence("steps", 2.0, 1.0), nw.Evidence("no limit", 3.0, float("inf"))),
    explanation="It overshoots.",
    healthy="Small steps.",
    source="A paper.",
    remedies=("lower_rate",),
    grade="cause",
    change="optimizer = Adam(\n    lr=0.001)",
    title="Learning rate too high",
)


def test_the_text_of_a_run_of_fit_names_remedies(sick_run: nw.Run) -> None:
    text = str(nw.diagnose(sick_run))
    assert text.startswith("Vanishing gradient (cause). The gradient of layer1 is ")
    assert "\n    rms(g_last) / rms(g_first): " in text
    assert "(limit 25)" in text
    assert "\n    remedies to try: use_relu, use_fitting_init, use_batch_norm" in text
    assert "\n    consequence: failure to learn. The training loss ends at " in text
    assert "No sign of: weights missing from the optimizer, " in text


def test_a_loop_gets_lines_of_code_and_a_recipe_gets_remedies() -> None:
    own = str(Report((FOUND,), (), ()))
    assert own == (
        "Learning rate too high (cause). The steps of fc1 are too large.\n"
        "    steps: 2 (limit 1)\n"
        "    change in the program:\n"
        "        optimizer = Adam(\n"
        "            lr=0.001)\n"
        "    in a run that learns well: small steps\n"
        "    source: A paper"
    )
    of_recipe = str(Report((FOUND,), (), (), of_recipe=True))
    assert "    remedies to try: lower_rate\n" in of_recipe
    assert "Adam" not in of_recipe


def test_the_details_have_explanations_and_every_name_and_reason() -> None:
    clear = tuple(f"rule_{i}" for i in range(20))
    unchecked = tuple((f"open_{i}", f"fact {i // 2} is missing") for i in range(20))
    report = Report((FOUND,), clear, unchecked)
    short, details = str(report), report.details
    assert "It overshoots." not in short
    assert "what it means: It overshoots." in details
    assert "rule 5 and 14 more." in short
    assert "rule 19." in details
    assert short.count("because fact") == 4
    assert "Not checked for 6 other reasons: 12 rules." in short
    assert details.count("because fact") == 10


@pytest.mark.parametrize(
    ("recipe", "line"), [("", TRIALS_OF_A_LOOP), ("1234", TRIALS_OF_A_RUN)], ids=["loop", "run"]
)
def test_a_lone_symptom_names_trials_and_no_remedies(
    recipe: str, line: str, flat: Callable[[], nw.History]
) -> None:
    history = flat().but(made_by=nw.Provenance(recipe=recipe))
    symptom = next(rule for rule in nw.RULES if rule.name == "not_learning")
    text = str(nw.diagnose(history, rules=(symptom,)))
    assert text.startswith("Failure to learn (suspect). ")
    assert NO_CAUSE in text
    assert line in text
    assert "remedies" not in text
    tried = replace(nw.diagnose(history, rules=(symptom,)), trials=(TRIAL,))
    assert NO_CAUSE not in str(tried)
    assert str(tried).endswith(str(TRIAL))


@pytest.fixture
def flat() -> Callable[[], nw.History]:
    """A run whose loss stays that of guessing."""
    rows = [{"step": i, "loss": 2.3} for i in range(40)]
    facts = nw.RunFacts(classes=10, loss_of_guessing=2.3)
    return lambda: nw.History.from_rows(rows, facts=facts)


def test_nothing_found_has_one_wording() -> None:
    assert str(Report((), (), ())) == NO_PROBLEM


def test_rules_that_share_a_reason_share_a_line() -> None:
    report = Report((), (), (("a_b", "x"), ("c", "y"), ("d_e", "x")))
    assert str(report).splitlines()[1:] == [
        "Not checked: a b, d e, because x.",
        "Not checked: c, because y.",
    ]


@pytest.mark.parametrize(
    ("title", "inside"),
    [("Overfitting", "overfitting"), ("ReLU units that are dead", "ReLU units that are dead")],
)
def test_a_title_inside_a_sentence(title: str, inside: str) -> None:
    assert inside_sentence(title) == inside
