"""Networks that play against each other, and generators whose samples are alike."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import history
from netwise.diagnosis.rules import Finding, Unchecked, games


def run(alike: int = 0, steps: int = 30, spread: tuple[float, ...] = (1.0, 0.9)) -> nw.History:
    wiring = nw.Wiring(
        "G", opponents=("D",), judged_steps=steps, judged_alike=alike, made_spread=spread
    )
    return history().but(wiring=wiring)


def test_a_game_whose_losses_have_opposite_signs_is_sound() -> None:
    assert games.networks_agree(run(alike=2)) is None
    assert games.generator_collapse(run()) is None


def test_networks_that_agree_are_named() -> None:
    answer = games.networks_agree(run(alike=30))
    assert isinstance(answer, Finding)
    assert "generator (G) and its judge (D)" in answer.sentence
    assert "30 of 30" in answer.sentence


@pytest.mark.parametrize(
    ("spread", "found"),
    [
        ((1.0, 0.02), True),
        ((1.0, 0.2), False),
        ((0.03, 0.02), False),  # it never made different ones
        ((40.0, 40.0), True),
        ((9.0, 8.0), False),
    ],
)
def test_the_spread_of_made_samples(spread: tuple[float, float], found: bool) -> None:
    assert isinstance(games.generator_collapse(run(spread=spread)), Finding) is found


def test_without_a_game_nothing_is_checked() -> None:
    assert isinstance(games.networks_agree(run(steps=3)), Unchecked)
    assert isinstance(games.generator_collapse(run(spread=())), Unchecked)
    assert isinstance(games.networks_agree(history()), Unchecked)
