"""Runs that end too early, and healthy ones that are short."""

from __future__ import annotations

import netwise as nw
from histories import found
from netwise import signals
from netwise.diagnosis.rules.training_time import loss_still_falls, too_few_steps, too_short

FACTS = nw.RunFacts(loss_of_guessing=2.3, classes=10, class_targets=True)


def run(
    losses: list[float],
    valid: list[float] | None = None,
    facts: nw.RunFacts = FACTS,
    every: int = 1,
) -> nw.History:
    steps = every * len(losses)
    series = {(signals.LOSS, ""): nw.Series(tuple(range(0, steps, every)), tuple(losses))}
    if valid is not None:
        ends = tuple((k + 1) * steps // len(valid) - 1 for k in range(len(valid)))
        series[signals.VALID_LOSS, ""] = nw.Series(ends, tuple(valid))
    series[signals.VALID_ACCURACY, ""] = nw.Series((steps - 1,), (0.4,))
    ended = nw.RunEnd("finished", "Done.", steps)
    return nw.History(series, facts=facts, ended=ended)


# A linear model answers far more than the 0.4 of the runs.
BETTER = nw.DataFacts(evaluation_samples=500, chance_score=0.1, evaluation_linear_score=0.9)


FALLS = [2.3 - 0.01 * i for i in range(120)]


def test_a_loss_that_falls_as_steeply_at_the_end_as_before() -> None:
    valid = [2.0, 1.7, 1.4, 1.1]
    assert found(too_short(run(FALLS, valid))).evidence[0].value > 0.08
    assert too_short(run(FALLS, [1.5, 1.2, 1.3, 1.4])) is None  # validation does not gain
    assert loss_still_falls(run(FALLS, valid)) is None


def test_a_loss_that_falls_after_many_steps_is_a_symptom() -> None:
    valid = [2.0, 1.7, 1.4, 1.1]
    assert too_short(run(FALLS, valid, every=10)) is None
    assert found(loss_still_falls(run(FALLS, valid, every=10).but(data=BETTER)))
    assert loss_still_falls(run(FALLS, valid, every=10)) is None  # more may not be possible
    learned = [2.3 * 0.97**i + 0.01 for i in range(120)]
    assert (
        loss_still_falls(run(learned, valid, every=10).but(data=BETTER)) is None
    )  # enough was learned
    flat = [1.9 + 0.02 * (-1) ** i for i in range(120)]
    assert loss_still_falls(run(flat, valid, every=10).but(data=BETTER)) is None
    above = [5 * v for v in FALLS]
    assert (
        loss_still_falls(run(above, valid, every=10).but(data=BETTER)) is None
    )  # worse than guessing


def test_a_run_of_a_few_dozen_steps() -> None:
    noisy = [2.3 - 0.003 * i + 0.2 * (-1) ** i for i in range(40)]
    assert "40 steps," in found(too_few_steps(run(noisy, [2.0]))).sentence
    assert too_few_steps(run(noisy, [2.0] * 8)) is None  # many epochs of few rows
    assert too_few_steps(run([0.4 - 0.002 * i for i in range(40)], [0.3])) is None  # fine-tuned
    done = [2.3 * 0.9**i for i in range(40)]
    assert too_few_steps(run(done, [0.1])) is None
    newton = nw.RunFacts(loss_of_guessing=2.3, optimizer="LBFGS")
    assert too_few_steps(run(noisy, [2.0], newton)) is None
    assert found(too_few_steps(run([0.5] * 10 + [0.4] * 25, [0.4], nw.RunFacts())))  # unknown loss
    assert found(too_few_steps(run(noisy[:16], [2.2] * 16)))  # batches of most of the data
    worse = run([9.0 * 0.9**i + 2.3 for i in range(40)], [2.3])
    assert found(too_few_steps(worse))  # no better than guessing, however far it fell


def test_an_evaluation_whose_loss_is_unknown_is_one() -> None:
    """As with a loss that is written by hand."""
    inputs = nw.Series((59, 119), (0.0, 0.0))
    history = run(FALLS)
    history = history.but(series={**history.series, (signals.EVALUATION_INPUT_MEAN, ""): inputs})
    assert found(too_short(history))


def test_without_an_evaluation_a_run_may_be_meant_to_be_short() -> None:
    assert isinstance(too_short(run(FALLS)), nw.Unchecked)
    assert isinstance(too_few_steps(run(FALLS[:40])), nw.Unchecked)
    assert isinstance(loss_still_falls(run(FALLS, every=10)), nw.Unchecked)


def test_too_few_losses() -> None:
    assert isinstance(loss_still_falls(run([2.0] * 3)), nw.Unchecked)


def test_losses_without_a_known_baseline_may_have_their_lowest_value_near_the_first() -> None:
    """As those of orders, of survival times and of contrasts."""
    near = [4.0 - 0.003 * i for i in range(90)]
    assert too_few_steps(run(near, [3.9], nw.RunFacts())) is None
    assert found(too_few_steps(run(near[:40], [3.9], nw.RunFacts())))
    assert found(too_few_steps(run([2.3 - 0.001 * i for i in range(90)], [2.3])))
