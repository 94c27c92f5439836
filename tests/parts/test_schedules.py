"""Schedules against torch's own, over whole runs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch.optim import lr_scheduler

import netwise as nw
from netwise.parts.schedules import SCHEDULES


def factors(schedule: nw.Schedule, epochs: int, steps: int = 1) -> list[float]:
    """The factor at each step of a run."""
    state, values = schedule.init(), []
    for epoch in range(epochs):
        factor, state = schedule.next(state, nw.ScheduleContext(epoch, epochs))
        for step in range(steps):
            if schedule.each_step:
                factor, _ = schedule.next(state, nw.ScheduleContext(epoch + step / steps, epochs))
            values.append(factor)
    return values


def theirs(make: Callable[[torch.optim.Optimizer], object], steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, values = make(optimizer), []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()  # type: ignore[attr-defined]
    return values


@pytest.mark.parametrize(
    ("ours", "make"),
    [
        (nw.StepDecay(every=3, factor=0.5), lambda o: lr_scheduler.StepLR(o, 3, 0.5)),
        (nw.Milestones(epochs=(2, 7)), lambda o: lr_scheduler.MultiStepLR(o, [2, 7])),
        (nw.Exponential(factor=0.9), lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
        (nw.Cosine(last=0.1), lambda o: lr_scheduler.CosineAnnealingLR(o, 12, eta_min=0.1)),
        (nw.Cosine(restarts=2), lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4)),
    ],
    ids=["step", "milestones", "exponential", "cosine", "restarts"],
)
def test_a_schedule_is_torchs_epoch_by_epoch(
    ours: nw.Schedule, make: Callable[[torch.optim.Optimizer], object]
) -> None:
    assert factors(ours, 12) == pytest.approx(theirs(make, 12), abs=1e-12)


def test_growing_restarts_are_torchs() -> None:
    ours = factors(nw.Cosine(restarts=2, growth=2.0), 14)
    assert ours == pytest.approx(
        theirs(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, T_mult=2), 14), abs=1e-9
    )


def test_one_cycle_has_torchs_shape_from_start_to_peak_to_end() -> None:
    # torch ends at its last step, a step before the end of the run: compare as functions of the
    # share that is done.
    steps = 1000
    make = lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=steps + 1, cycle_momentum=False)  # noqa: E731
    ours = factors(nw.OneCycle(), 10, steps // 10)
    assert ours == pytest.approx(theirs(make, steps), abs=0.01)
    assert max(ours) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("shape", ["triangular", "triangular2", "exp_range"])
def test_cyclical_rates_are_torchs_step_by_step(shape: str) -> None:
    steps, epochs = 10, 24  # an epoch; triangles of 6 epochs
    ours = factors(nw.Cyclical(low=0.1, half=3, shape=shape, decay=0.9), epochs, steps)
    expected = theirs(
        lambda o: lr_scheduler.CyclicLR(
            o,
            base_lr=0.1,
            max_lr=1.0,
            step_size_up=3 * steps,
            mode=shape,  # type: ignore[arg-type]
            gamma=0.9 ** (1 / steps),
            cycle_momentum=False,
        ),
        epochs * steps,
    )
    assert ours == pytest.approx(expected, abs=1e-9)
    assert min(ours) == pytest.approx(0.1)


def test_triangles_may_have_a_fraction_of_an_epoch() -> None:
    ours = factors(nw.Cyclical(low=0.0, half=0.25), 2, 4)
    assert ours == pytest.approx([0, 1, 0, 1, 0, 1, 0, 1])


def test_exponential_decay_is_smooth_or_in_steps() -> None:
    smooth, stairs = (
        nw.Exponential(factor=0.5, every=4),
        nw.Exponential(factor=0.5, every=4, staircase=True),
    )
    assert factors(smooth, 9) == pytest.approx([0.5 ** (e / 4) for e in range(9)])
    assert factors(stairs, 9) == pytest.approx([0.5 ** (e // 4) for e in range(9)])


def test_exponential_decay_over_forty_epochs() -> None:
    # w_0 = 5, loss (w + 1)^2, rate 0.2 * 0.99^epoch, 40 epochs: w =
    # -0.99999942, rate 0.13515
    schedule, w = nw.Exponential(factor=0.99), 5.0
    for epoch in range(40):
        rate = 0.2 * schedule.next({}, nw.ScheduleContext(epoch, 40))[0]
        w -= rate * 2 * (w + 1)
    assert w == pytest.approx(-0.99999942, abs=1e-7)
    assert rate == pytest.approx(0.135146, abs=1e-6)


def test_a_warm_up_rises_by_steps_and_continues_with_the_other_schedule() -> None:
    ours = factors(nw.WarmUp(epochs=2, start=0.0, then=nw.StepDecay(every=3, factor=0.1)), 6, 4)
    assert ours[:8] == pytest.approx([i / 8 for i in range(8)])
    assert ours[8:12] == [1.0] * 4
    assert ours[12:] == pytest.approx([0.1] * 12)


def test_a_plateau_is_torchs() -> None:
    losses = [1.0, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.7]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2, threshold=1e-4)
    ours = nw.Plateau(factor=0.5, patience=2)
    state, values, expected = ours.init(), [], []
    for epoch, loss in enumerate(losses):
        scheduler.step(loss)
        expected.append(optimizer.param_groups[0]["lr"])
        factor, state = ours.next(state, nw.ScheduleContext(epoch + 1, 20, loss))
        values.append(factor)
    assert values == expected


def test_halve_until_ends_the_run_at_a_thousandth() -> None:
    schedule, state, factor = nw.HalveUntil(), nw.HalveUntil().init(), 1.0
    for epoch in range(20):
        factor, state = schedule.next(state, nw.ScheduleContext(epoch, 20, 1.0 if epoch else None))
        if schedule.stop_reason(state):
            break
    assert factor == 2.0**-10  # the first power of a half that is at most 1/1000
    recipe = nw.Recipe(
        data=nw.data.digits(),
        network=nw.MLP((64, 10)),
        optimizer=nw.SGD(lr=50.0),
        schedule=nw.HalveUntil(until=0.2),
        epochs=100,
    )
    run = nw.fit(recipe)
    assert run.history.ended.how == "stopped early"
    assert "which ends the run by HalveUntil" in run.history.ended.sentence
    rates = run.history.of("rate")
    assert rates is not None
    assert rates.values[0] == 50.0
    assert rates.values[-1] > 0.2 * 50  # it ended before an epoch at a fifth


def test_a_rate_that_changes_at_each_step_does_so_in_a_run() -> None:
    values: list[float] = []

    class Spy(torch.optim.SGD):
        def step(self, closure: object = None) -> None:  # type: ignore[override]
            values.append(self.param_groups[0]["lr"])
            super().step()

    class Spied(nw.SGD):
        def build(self, parameters: object) -> torch.optim.Optimizer:
            return Spy(parameters, lr=self.lr)  # type: ignore[arg-type]

    recipe = nw.Recipe(
        data=nw.data.iris(valid=0.0),
        network=nw.MLP((4, 3)),
        optimizer=Spied(lr=0.5),
        batch_size=30,
        epochs=3,
        schedule=nw.OneCycle(),
    )
    nw.fit(recipe)
    assert values == pytest.approx([0.5 * f for f in factors(nw.OneCycle(), 3, 4)])


@pytest.mark.parametrize("cls", SCHEDULES)
def test_every_schedule_gives_positive_finite_factors(cls: type[nw.Schedule]) -> None:
    schedule, state = cls(), cls().init()
    for epoch in range(30):
        factor, state = schedule.next(state, nw.ScheduleContext(epoch, 30, 1.0 if epoch else None))
        assert 0 <= factor <= 1
        assert math.isfinite(factor)
        assert all(isinstance(value, float) for value in state.values())


def test_a_schedule_that_needs_the_loss_needs_a_validation_part() -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(valid=0.0),
        network=nw.MLP((64, 10)),
        schedule=nw.WarmUp(then=nw.Plateau()),
    )
    assert "watches the validation part" in str(nw.check(recipe)[0])
    with pytest.raises(
        nw.WrongValue, match=r"epochs = \[5, 3\]  must be in increasing order. Write \[3, 5\]"
    ):
        nw.Milestones(epochs=(5, 3))


def test_a_warm_up_before_a_plateau_counts_each_epoch_once() -> None:
    schedule = nw.WarmUp(epochs=1, then=nw.Plateau(patience=1, factor=0.5))
    recipe = nw.Recipe(
        data=nw.data.digits(),
        network=nw.MLP((64, 10)),
        optimizer=nw.SGD(lr=80.0),
        schedule=schedule,
        epochs=9,
    )
    run = nw.fit(recipe)
    losses, rates = run.history.of("valid.loss"), run.history.of("rate")
    assert losses is not None
    assert rates is not None
    plateau, state, expected = nw.Plateau(patience=1, factor=0.5), nw.Plateau().init(), []
    for epoch in range(9):
        factor, state = plateau.next(
            state, nw.ScheduleContext(epoch, 9, losses.values[epoch - 1] if epoch else None)
        )
        expected.append(80.0 * factor)
    assert rates.values[1:] == pytest.approx(expected[1:])
    assert min(expected) < 80


def rates(schedule: nw.Schedule, epochs: int) -> list[float]:
    state, found = schedule.init(), []
    for epoch in range(epochs):
        factor, state = schedule.next(state, nw.ScheduleContext(epoch, epochs, 1.0))
        found.append(factor)
    return found


def test_schedules_equal_torchs() -> None:
    for ours, theirs in (
        (nw.StepDecay(every=3, factor=0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5)),
        (nw.Cosine(), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 12)),
        (nw.ConstantRate(), lambda o: torch.optim.lr_scheduler.ConstantLR(o, 1.0)),
    ):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler, values = theirs(optimizer), []
        for _ in range(12):
            values.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        assert rates(ours, 12) == pytest.approx(values)


def test_cosine_ends_at_its_last_factor() -> None:
    assert rates(nw.Cosine(last=0.2), 1000)[-1] == pytest.approx(0.2, abs=1e-4)


@pytest.mark.parametrize(
    ("factor", "until", "reductions"),
    [(0.1, 0.001, 3), (0.1, 1e-5, 5), (0.2, 0.008, 3), (0.7, 0.343, 3), (0.5, 0.001, 10)],
)
def test_a_power_of_the_factor_that_is_the_end_up_to_rounding_ends_the_run(
    factor: float, until: float, reductions: int
) -> None:
    schedule = nw.HalveUntil(factor=factor, until=until)
    state, reduced = schedule.init(), 0
    _, state = schedule.next(state, nw.ScheduleContext(1, 99, 1.0))
    while schedule.stop_reason(state) is None:
        _, state = schedule.next(state, nw.ScheduleContext(1, 99, 1.0))
        reduced += 1
    assert reduced == reductions
