"""The state of a run: rates of each group, the active optimizer, the average."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.recipe.prepared import prepare
from netwise.training.fit import initialize
from netwise.training.run_setup import Setup, set_up
from netwise.training.run_state import (
    RunState,
    set_epoch_rates,
    set_step_rate,
    state_at_start,
    switch_optimizer,
)
from netwise.training.settings import RunOptions

RECIPE = nw.Recipe(
    data=nw.data.digits(), network=nw.MLP((64, 20, 10)), optimizer=nw.SGD(lr=0.1), epochs=4
)


def started(recipe: nw.Recipe) -> tuple[Setup, RunState]:
    setup = set_up(recipe, prepare(recipe), RunOptions(), initialize)
    return setup, state_at_start(setup)


def test_rates_are_products_of_recipe_schedule_and_layer() -> None:
    setup, state = started(RECIPE.but(tuning=nw.FineTune(rates=("layer1=0.5",))))
    state.rate_factor = 0.1
    set_epoch_rates(setup, state)
    rates = sorted(group["lr"] for group in state.optimizer.param_groups)
    assert rates == pytest.approx([0.1 * 0.1 * 0.5, 0.1 * 0.1])


def test_the_rate_of_a_step_lies_on_the_curve_of_the_schedule() -> None:
    setup, state = started(RECIPE.but(schedule=nw.OneCycle()))
    context = nw.ScheduleContext(1 + 5 / setup.steps_per_epoch, 4, None)
    factor, _ = setup.recipe.schedule.next(state.schedule, context)
    state.epoch = 1
    set_step_rate(setup, state, 5)
    assert state.optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * factor)
    state.epoch_rate_factor = 0.25
    set_step_rate(setup, state, 0)  # the first batch has the rate of the epoch
    assert state.rate_factor == 0.25


def test_an_optimizer_is_switched_once() -> None:
    switch = nw.SwitchOptimizer(first=nw.Adam(lr=0.01), then=nw.SGD(lr=0.05), epoch=2)
    setup, state = started(RECIPE.but(optimizer=switch))
    assert not switch_optimizer(setup, state)
    state.switch = switch.next_state(state.switch, 2, None)
    before = state.optimizer
    assert switch_optimizer(setup, state)
    assert state.part == nw.SGD(lr=0.05)
    assert state.optimizer is not before
    assert not switch_optimizer(setup, state)


def test_a_recipe_with_one_optimizer_never_switches() -> None:
    setup, state = started(RECIPE)
    assert state.switch == {}
    assert not switch_optimizer(setup, state)
