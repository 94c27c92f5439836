"""Weights of classes that rise with their frequency."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.class_weights import class_weights_flipped


def run(shares: tuple[float, ...] | None, weights: tuple[float, ...]) -> nw.History:
    term = nw.LossTerm("cross entropy", place="train.py:9", class_weights=weights)
    facts = nw.RunFacts(class_shares=shares)
    return history(facts=facts).but(wiring=nw.Wiring(losses=(term,)))


def test_shares_as_weights() -> None:
    finding = found(class_weights_flipped(run((0.9, 0.1), (0.9, 0.1))))
    assert "0.9 for one of 90 % of the targets, and 0.1 for one of 10 %" in finding.sentence
    assert found(class_weights_flipped(run((0.5, 0.3, 0.2), (5.0, 3.0, 2.0))))
    counted = run(None, (1.0, 0.1)).but(data=nw.DataFacts(answers=((90, 90, 90), (10, 10, 0))))
    assert found(class_weights_flipped(counted))


@pytest.mark.parametrize(
    ("shares", "weights"),
    [
        ((0.9, 0.1), (0.1, 0.9)),
        ((0.9, 0.1), ()),
        ((0.9, 0.1), (1.0, 0.8)),  # hardly any difference
        ((0.55, 0.45), (4.0, 1.0)),  # another reason
        ((0.6, 0.3, 0.1), (1.0, 3.0, 0.0)),  # a class that is left out
        ((0.4, 0.3, 0.2, 0.1), (3.0, 0.5, 4.0, 1.0)),  # no order
    ],
)
def test_neighbours(shares: tuple[float, ...], weights: tuple[float, ...]) -> None:
    assert class_weights_flipped(run(shares, weights)) is None


def test_targets_that_were_not_counted() -> None:
    assert isinstance(class_weights_flipped(run(None, (1.0, 2.0))), nw.Unchecked)
