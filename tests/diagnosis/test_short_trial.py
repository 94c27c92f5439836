"""The outcome of a trial as text for people."""

from __future__ import annotations

import netwise as nw


def test_an_outcome_shows_verdict_and_cost() -> None:
    outcome = nw.ShortTrial("time", "the steps", "proved", "It falls.", seconds=1.25, steps=2400)
    assert str(outcome) == "time trial: proved. It falls. (2,400 steps, 1.2 s)"
