"""Exact facts of loops: optimizers made anew, losses without a step, swapped arguments, a cosine
that goes up and down."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import history
from netwise.diagnosis.rules import (
    Finding,
    Unchecked,
    idle_losses,
    new_optimizers,
    rate_schedule,
    swapped_arguments,
)


def run(**facts: object) -> nw.History:
    wiring = nw.Wiring("Net", optimizers=("Adam",), **facts)  # type: ignore[arg-type]
    return history(facts=nw.RunFacts(rate=0.01)).but(wiring=wiring)


@pytest.mark.parametrize(("count", "found"), [(0, False), (9, False), (10, True), (500, True)])
def test_optimizers_of_one_step(count: int, found: bool) -> None:
    answer = new_optimizers.optimizer_made_anew(run(optimizers_of_one_step=count))
    assert isinstance(answer, Finding) is found


@pytest.mark.parametrize(("climbs", "found"), [(0, False), (1, False), (2, True)])
def test_climbs_of_a_rate(climbs: int, found: bool) -> None:
    assert isinstance(rate_schedule.rate_swings(run(rate_climbs=climbs)), Finding) is found


def test_a_loss_without_a_step() -> None:
    answer = idle_losses.loss_without_step(run(idle_losses=("gan.py:31: Judge",)))
    assert isinstance(answer, Finding)
    assert "gan.py:31" in answer.sentence
    assert "Judge" in answer.sentence
    assert idle_losses.loss_without_step(run()) is None


@pytest.mark.parametrize("swapped", [True, False])
def test_swapped_arguments(swapped: bool) -> None:
    term = nw.LossTerm("binary cross entropy", place="train.py:9", swapped=swapped)
    answer = swapped_arguments.loss_arguments_swapped(run(losses=(term,)))
    assert isinstance(answer, Finding) is swapped


@pytest.mark.parametrize(
    "find",
    [
        idle_losses.loss_without_step,
        new_optimizers.optimizer_made_anew,
        rate_schedule.rate_swings,
        swapped_arguments.loss_arguments_swapped,
    ],
)
def test_without_an_observed_loop_nothing_is_checked(find: object) -> None:
    assert isinstance(find(history()), Unchecked)  # type: ignore[operator]
