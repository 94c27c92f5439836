"""The goal of a run: one number for each task, with the value of guessing where it diverged."""

from __future__ import annotations

import math

import pytest

import netwise as nw
from netwise.treatment.goals import final_valid_loss, goal, goal_of


def history(task: str, how: str = "finished", **series: list[float]) -> nw.History:
    """A history of whole-network signals; `__` in a keyword is the dot of the signal's name."""
    return nw.History(
        {
            (name.replace("__", "."), ""): nw.Series(tuple(range(len(v))), tuple(v))
            for name, v in series.items()
        },
        facts=nw.RunFacts(task=task, classes=4),
        ended=nw.RunEnd(how, ".", 1),
    )


PLAIN = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)))
STOPPED = PLAIN.but(stopping=nw.Patience(3))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (history("classification", valid__accuracy=[0.5, 0.8]), 0.8),
        (history("classification", "diverged", valid__accuracy=[0.5, 0.8]), 1 / 4),
        (history("classification", train__accuracy=[0.7]), 0.7),
        (history("classification"), 0.0),
        (history("regression", valid__r2=[0.1, 0.4]), 0.4),
        (history("regression", "diverged", valid__r2=[0.4]), 0.0),
        (history("reconstruction", masked__r2=[0.3], valid__r2=[0.9]), 0.3),
        (history("reconstruction", valid__r2=[0.9]), 0.9),
        (history("density", likelihood__exact=[-9.0, -8.0], likelihood__pseudo=[-3.0]), -8.0),
        (history("density", likelihood__pseudo=[-3.0]), -3.0),
        (
            history("density", "diverged", likelihood__exact=[-2.0], likelihood__base_rates=[-9.0]),
            -9.0,
        ),
        (history("density", valid__loss=[7.0]), -7.0),
        (history("memory", memory__noise=[0.0, 0.1, 0.3], memory__recovered=[1.0, 0.6, 0.2]), 0.6),
        (history("memory"), 0.0),
    ],
)
def test_the_goal_of_each_task(given: nw.History, expected: float) -> None:
    assert goal_of(given, PLAIN) == expected


def test_with_early_stopping_the_epoch_of_the_lowest_validation_loss_is_taken() -> None:
    given = history("classification", valid__loss=[2.0, 1.0, 3.0], valid__accuracy=[0.1, 0.6, 0.9])
    assert goal_of(given, STOPPED) == 0.6
    assert goal_of(given, PLAIN) == 0.9


def test_a_diverged_run_has_the_goal_of_guessing() -> None:
    run = nw.fit(
        nw.Recipe(
            data=nw.data.digits(), network=nw.MLP((64, 32, 10)), init=nw.He(gain=1e30), epochs=1
        )
    )
    assert run.history.ended.how == "diverged"
    assert goal(run) == pytest.approx(0.1)


def test_the_goal_is_that_of_the_weights_the_run_ended_with() -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(valid=0.45, test=0.5),
        network=nw.MLP((64, 64, 10)),
        optimizer=nw.Adam(lr=0.02),
        batch_size=16,
        epochs=60,
        stopping=nw.Patience(4),
    )
    run = nw.fit(recipe)
    losses, shares = run.history.of("valid.loss"), run.history.of("valid.accuracy")
    assert losses is not None
    assert shares is not None
    assert goal(run) == shares.values[losses.values.index(min(losses.values))]
    assert math.isfinite(goal(run))
    assert final_valid_loss(run) == min(losses.values)
