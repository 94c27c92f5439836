"""Gradient descent on counts of words, and where it does no harm."""

from __future__ import annotations

from typing import Any

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.rare_features import one_rate_for_rare_features

WORDS = {"features": 1000, "features_in_use": 0.03, "chance_score": 0.1, "linear_score": 0.7}


def run(optimizer: str = "SGD", final: float = 2.2, guess: float | None = 2.3, **data: Any) -> Any:
    facts = nw.RunFacts(loss_of_guessing=guess, optimizer=optimizer)
    history = observed(facts=facts, final=final)
    return one_rate_for_rare_features(history.but(data=nw.DataFacts(**{**WORDS, **data})))


def test_plain_descent_on_counts_of_words() -> None:
    assert "in 3.0 % of the rows" in found(run()).sentence


def test_harmless_optimizers_and_inputs() -> None:
    assert run("Adam") is None
    assert run("SGD", 0.1) is None  # it learned
    assert run(features_in_use=0.2) is None  # pixels of digits
    assert run(features=10) is None
    assert run(linear_score=0.12) is None  # nothing to learn from these rows


def test_what_was_not_seen_is_not_checked() -> None:
    assert isinstance(run(features_in_use=None), nw.Unchecked)
    assert isinstance(run(guess=None), nw.Unchecked)
    assert isinstance(one_rate_for_rare_features(observed()), nw.Unchecked)
