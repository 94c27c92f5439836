"""Losses that swing or jump, on both sides of the limits."""

from __future__ import annotations

import math
import random

import pytest
import torch

import netwise as nw
from histories import found, observed
from netwise import signals
from netwise.diagnosis.rules.loss_swings import oscillation, spike

COUNT = 200
DRAWS = random.Random(3)
NOISE = [DRAWS.gauss(0, 1) for _ in range(COUNT)]


def swinging(
    period: float, size: float = 0.3, noise: float = 0.0, slope: float = 0.0
) -> nw.History:
    losses = [
        2.3 + size * math.cos(2 * math.pi * i / period) + noise * NOISE[i] - slope * i
        for i in range(COUNT)
    ]
    return observed({signals.LOSS: losses})


@pytest.mark.parametrize("period", [2, 4, 8, 30])
def test_a_loss_that_swings(period: int) -> None:
    finding = found(oscillation(swinging(period, noise=0.05)))
    assert finding.evidence[1].value == pytest.approx(0.3 / math.sqrt(2) / 2.3, rel=0.5)


@pytest.mark.parametrize(
    "sound",
    [
        swinging(8, size=0.0, noise=0.3),
        swinging(8, size=0.02),
        swinging(8, size=0.1, slope=0.005),
        swinging(8).but(facts=nw.RunFacts(loss_of_guessing=40.0)),
    ],
    ids=["noise", "little", "it falls", "learned"],
)
def test_losses_that_do_not_swing_or_may(sound: nw.History) -> None:
    series = {**sound.series, (signals.TRAIN_LOSS, ""): nw.Series((50, 99), (2.3, 2.3))}
    assert oscillation(sound.but(series=series)) is None


def test_a_run_whose_baseline_is_not_known_is_not_checked() -> None:
    assert isinstance(oscillation(swinging(8).but(facts=nw.RunFacts())), nw.Unchecked)


def test_steps_that_are_too_long_for_the_valley_swing() -> None:
    """A program: gradient descent on all rows, at a rate near the limit of stability."""
    torch.manual_seed(0)
    x = torch.randn(400, 8)
    y = x[:, :1] * x[:, 1:2] + x[:, 2:3].sin()
    model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.6)
    with nw.watch() as w:
        for _ in range(300):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
    report = nw.diagnose(w.history())
    assert report.found[0].rule == "rate_too_high"
    assert "oscillation" in {each.rule for each in report.found[0].consequences}


def jumping(after: float, at: int = 30, length: int = 30, before: float = 1.0) -> nw.History:
    losses = [before] * at + [20.0] + [after] * length
    return observed({signals.LOSS: losses}, final=after)


def test_a_loss_that_jumps_and_stays() -> None:
    finding = found(spike(jumping(after=9.0)))
    assert finding.steps[0] == 300
    assert [evidence.value for evidence in finding.evidence] == [20.0, 9.0]


@pytest.mark.parametrize(
    "sound", [jumping(after=1.1), jumping(after=9.0, before=3.5)], ids=["it heals", "little"]
)
def test_jumps_that_do_no_harm(sound: nw.History) -> None:
    assert spike(sound) is None


def test_a_jump_where_another_optimizer_begins_is_another_loss() -> None:
    run = jumping(after=9.0)
    assert spike(run.but(wiring=nw.Wiring(module="Net", phases_began=(300,)))) is None
    assert found(spike(run.but(wiring=nw.Wiring(module="Net", phases_began=(100,)))))


def test_jumps_of_a_loss_that_can_be_negative_mean_nothing() -> None:
    run = jumping(after=9.0)
    losses = run.series[signals.LOSS, ""]
    shifted = nw.Series(losses.steps, (-1.0, *losses.values[1:]))
    assert spike(run.but(series={**run.series, (signals.LOSS, ""): shifted})) is None


def by_epochs(train: float, swing: float, step: float) -> nw.History:
    """Sixteen epochs with a validation loss that rises and falls in turn."""
    valid = [0.3 + swing * (-1) ** i for i in range(16)]
    rows = [
        {"step": i, "train.loss": train, "valid.loss": v, "update.ratio|a": step}
        for i, v in enumerate(valid)
    ]
    layers = (nw.Layer("a", "Linear", 2, 2),)
    return nw.History.from_rows(rows, layers, nw.RunFacts(loss_of_guessing=2.3))


@pytest.mark.parametrize(
    ("train", "swing", "step", "is_found"),
    [
        (0.28, 0.05, 0.02, True),  # SGD with a rate of 2.5 on sigmoid units
        (0.28, 0.05, 0.008, False),  # noise of the task, at steps of a usual size
        (0.28, 0.005, 0.02, False),
        (0.10, 0.05, 0.02, False),  # nearly all is learned
    ],
)
def test_a_validation_loss_that_swings_between_epochs(
    train: float, swing: float, step: float, is_found: bool
) -> None:
    answer = oscillation(by_epochs(train, swing, step))
    assert isinstance(answer, nw.Finding) == is_found


def test_a_learning_rate_that_rose_before_a_jump_is_named() -> None:
    run = jumping(after=9.0)
    rates = nw.Series((0, 100, 290, 300), (0.1, 0.1, 0.1, 8.0))
    finding = found(spike(run.but(series={**run.series, (signals.RATE, ""): rates})))
    assert "at most 0.1 before, and up to 8 since" in finding.sentence
    assert "rate" not in found(spike(run)).sentence
