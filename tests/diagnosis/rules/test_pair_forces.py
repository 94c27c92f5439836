"""Pairs of a loss of distances the wrong way round."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.pair_forces import pairs_reversed


def run(*nearer: float) -> nw.History:
    return history().but(wiring=nw.Wiring(pairs_nearer=nearer))


def test_pairs_that_are_reversed() -> None:
    finding = found(pairs_reversed(run(0.13, 0.44)))
    assert "nearer by their inputs than the others in 13 % of the comparisons" in finding.sentence


def test_neighbours() -> None:
    assert pairs_reversed(run()) is None
    assert pairs_reversed(run(0.8, 0.6)) is None
    assert pairs_reversed(run(0.2, 0.9)) is None  # chosen because they are hard, and learned
