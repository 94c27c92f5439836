"""A learning rate that is used up too early: on schedules computed here."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

import netwise as nw
from histories import found, observed
from netwise import signals
from netwise.diagnosis.rules.rate_schedule import rate_faded, warm_up_too_long

STEPS = 200


def scheduled(
    schedule: Callable[[int], float],
    final: float = 2.3,
    known: bool = True,
    name: str = signals.GROUP_RATE,
) -> nw.Finding | nw.Unchecked | None:
    """The answer on a run with this rate in each step."""
    run = observed(final=final, facts=nw.RunFacts(loss_of_guessing=2.3 if known else None))
    rates = nw.Series(tuple(range(STEPS)), tuple(schedule(step) for step in range(STEPS)))
    series = {**run.series, (name, "0" if name == signals.GROUP_RATE else ""): rates}
    return rate_faded(run.but(series=series, ended=nw.RunEnd("finished", "Done.", STEPS)))


def each_batch(step: int) -> float:
    return 0.1 * 0.9**step


def by_tens(step: int) -> float:
    return 0.1 * 0.3 ** (step // 10)


def cosine(step: int) -> float:
    return 0.05 * (1 + math.cos(math.pi * step / STEPS))


def restarts(step: int) -> float:
    return 0.05 * (1 + math.cos(math.pi * (step % 50) / 49))


def milestones(step: int) -> float:
    return 0.1 * 0.1 ** ((step >= 60) + (step >= 120))


def warm_up(step: int) -> float:
    return 1e-6 if step < 150 else 0.1


def test_a_schedule_for_epochs_that_is_called_after_each_batch() -> None:
    finding = found(scheduled(each_batch))
    assert "below a hundredth by step 44 of 200" in finding.sentence
    assert "It falls from step to step: call `scheduler.step()` once an epoch" in finding.sentence
    steps = found(scheduled(by_tens, name=signals.RATE))
    assert "below a hundredth by step 40 of 200" in steps.sentence
    assert "If `scheduler.step()` is called after each batch" in steps.sentence


@pytest.mark.parametrize("schedule", [cosine, restarts, milestones, warm_up])
def test_usual_schedules_are_healthy(schedule: Callable[[int], float]) -> None:
    assert scheduled(schedule) is None


def test_a_run_that_has_learned_needs_its_rate_no_more() -> None:
    assert scheduled(each_batch, final=0.1) is None


def test_where_nothing_is_known_of_the_outcome_only_a_rate_that_is_gone_counts() -> None:
    assert found(scheduled(each_batch, known=False)).strength > 1e5
    assert isinstance(scheduled(lambda step: max(by_tens(step), 1e-4), known=False), nw.Unchecked)


def test_one_group_that_keeps_its_rate_is_enough() -> None:
    run = observed(facts=nw.RunFacts(loss_of_guessing=2.3))
    steps = tuple(range(STEPS))
    series = {
        (signals.GROUP_RATE, "0"): nw.Series(steps, tuple(each_batch(step) for step in steps)),
        (signals.GROUP_RATE, "1"): nw.Series(steps, (0.1,) * STEPS),
    }
    assert rate_faded(run.but(series=series, ended=nw.RunEnd("finished", "x.", STEPS))) is None


def test_a_warm_up_that_is_longer_than_the_run() -> None:
    def run(rates: list[float], update: float, final: float = 2.3) -> nw.History:
        steps = [[update * rate / rates[-1] for rate in rates]] * 4
        return observed({signals.RATE: rates}, by_layer={signals.UPDATE_RATIO: steps}, final=final)

    rising = [1e-5 * k for k in range(1, 11)]
    finding = found(warm_up_too_long(run(rising, 1e-3)))
    assert finding.evidence[0].value == pytest.approx(10)
    assert warm_up_too_long(run(rising, 0.02)) is None  # its end is as usual
    assert warm_up_too_long(run(rising, 1e-3, final=0.2)) is None
    assert warm_up_too_long(run([*rising, *[1e-4] * 8], 1e-3)) is None
    unknown = run(rising, 1e-3).but(facts=nw.RunFacts())
    assert isinstance(warm_up_too_long(unknown), nw.Unchecked)


def test_a_schedule_of_a_recipe_that_uses_the_rate_up() -> None:
    recipe = nw.suggest(nw.data.digits(), epochs=6)
    fading = recipe.but(schedule=nw.StepDecay(every=1, factor=0.01))
    report = nw.diagnose(nw.fit(fading, test=False))
    assert report.found[0].rule == "rate_faded"
    assert "`Cosine()`" in report.found[0].sentence
    for schedule in (nw.ConstantRate(), nw.Cosine()):
        run = nw.fit(recipe.but(schedule=schedule), test=False)
        assert "rate_faded" not in nw.diagnose(run).names


def test_a_schedule_far_below_its_peak() -> None:
    run = observed(planned_rate=0.05, highest_rate=0.003)
    assert "never above 0.003" in found(warm_up_too_long(run)).sentence
    learned = observed(final=0.1, planned_rate=0.05, highest_rate=0.003)
    reached = observed(planned_rate=0.05, highest_rate=0.05)
    for answer in (warm_up_too_long(learned), warm_up_too_long(reached)):
        assert not isinstance(answer, nw.Finding)
