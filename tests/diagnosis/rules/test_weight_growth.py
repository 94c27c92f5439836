"""Weights that grow without end, and steps that an optimizer has made short, on both sides of the
limits."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, observed
from netwise import signals
from netwise.diagnosis.rules.weight_growth import effective_rate_gone, weights_run_away

STEPS = 20
SHORT_FROM = 8


def optimizer_run(
    late: float = 1e-4,
    gradient: float = 0.2,
    early_gradient: float = 0.2,
    rate: float = 0.01,
    final: float = 2.3,
) -> nw.History:
    """Steps of 0.05 of the weights, that are `late` from the ninth watched step on."""
    rest = STEPS - SHORT_FROM
    return observed(
        {signals.RATE: [0.01] * SHORT_FROM + [rate] * rest},
        by_layer={
            signals.UPDATE_RATIO: [[0.05] * SHORT_FROM + [late] * rest] * 4,
            signals.GRADIENT_RATIO: [[early_gradient] * SHORT_FROM + [gradient] * rest] * 4,
        },
        facts=nw.RunFacts(loss_of_guessing=2.3, optimizer="Adagrad"),
        final=final,
    )


def test_steps_that_become_short_at_the_same_gradient() -> None:
    finding = found(effective_rate_gone(optimizer_run()))
    assert finding.evidence[0].value == pytest.approx(500)
    assert "Adagrad" in finding.sentence
    assert finding.grade == "cause"


@pytest.mark.parametrize(
    "sound",
    [
        optimizer_run(late=1e-3),
        optimizer_run(gradient=2e-4),
        optimizer_run(rate=1e-5),
        optimizer_run(final=0.1),
        optimizer_run(late=9e-4, early_gradient=2e-4, gradient=1.0),
    ],
    ids=["mild", "the gradient is gone", "the schedule", "learned", "the gradient grew"],
)
def test_short_steps_of_other_kinds(sound: nw.History) -> None:
    assert effective_rate_gone(sound) is None


def test_one_layer_that_still_moves() -> None:
    run = optimizer_run()
    key = (signals.UPDATE_RATIO, "layer3")
    moving = nw.Series(run.series[key].steps, (0.05,) * STEPS)
    assert effective_rate_gone(run.but(series={**run.series, key: moving})) is None


def weights_run(growth: float, losses: list[float], first: float = 5.0) -> nw.History:
    norms = [first * growth ** (i / (STEPS - 1)) for i in range(STEPS)]
    return observed({signals.LOSS: losses}, by_layer={signals.WEIGHT_NORM: [norms] * 4})


FLAT = [2.3, 2.31] * (STEPS // 2)
FALLING = [2.3 - 0.1 * i for i in range(STEPS)]


def test_weights_that_grow_while_the_loss_stands() -> None:
    finding = found(weights_run_away(weights_run(40, FLAT)))
    assert finding.evidence[0].value == pytest.approx(40)
    assert finding.layers == ("layer1", "layer2", "layer3", "layer4")


@pytest.mark.parametrize(
    "sound",
    [weights_run(5, FLAT), weights_run(40, FALLING), weights_run(1e4, FLAT, first=1e-4)],
    ids=["little", "the loss falls", "from nearly 0"],
)
def test_weights_that_grow_and_do_no_harm(sound: nw.History) -> None:
    assert weights_run_away(sound) is None


def test_weights_that_have_stopped_growing() -> None:
    run = weights_run(40, FLAT)
    norms = [5.0 + 40 * min(i, 8) for i in range(STEPS)]
    series = {
        (signals.WEIGHT_NORM, layer.name): nw.Series(tuple(range(0, 10 * STEPS, 10)), tuple(norms))
        for layer in run.layers
    }
    assert weights_run_away(run.but(series={**run.series, **series})) is None
