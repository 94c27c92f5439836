"""Target maps that lie otherwise than their pictures."""

from __future__ import annotations

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.turned_targets import targets_turned

TRANSPOSED = ("transposed (rows and columns exchanged)", 0.1, 0.7, 0.9, 0.72)
AT_RANDOM = ("mirrored left to right", 0.4, 0.4, 0.48, 0.75)


def run(turned: tuple[str, float, float, float, float] | None) -> nw.History:
    return observed(final=0.5).but(data=nw.DataFacts(turned_targets=turned))


def test_one_turn_of_all_maps_and_a_random_one() -> None:
    assert "[row, column]" in found(targets_turned(run(TRANSPOSED))).sentence
    random = found(targets_turned(run(AT_RANDOM)))
    assert random.sentence.startswith("In 48 % of the samples")
    assert "one draw for both" in random.change


def test_maps_that_fit_as_they_are_or_not_at_all() -> None:
    assert targets_turned(run(("mirrored left to right", 0.7, 0.1, 0.02, 0.7))) is None
    assert targets_turned(run(("mirrored left to right", 0.02, 0.1, 0.3, 0.15))) is None
    assert targets_turned(run(None)) is None
    assert isinstance(targets_turned(observed()), nw.Unchecked)
