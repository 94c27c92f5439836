"""Facts of a program as a whole."""

from __future__ import annotations

from netwise.observe.program_facts import ProgramFacts
from tests.observe.observed_loops import classifier, observed, train


def test_facts_of_a_program_that_has_ended() -> None:
    facts = observed(lambda: train(classifier())).program({"rate": 0.5})
    assert not facts.running
    assert facts.seconds > 0
    assert facts.device == "cpu"
    assert facts.given == {"rate": 0.5}


def test_without_distribution_there_is_no_framework() -> None:
    assert ProgramFacts(running=True, seconds=0.0).frameworks == ()
