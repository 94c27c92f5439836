"""Optimizers combined from two moment rules, against those they are."""

from __future__ import annotations

import math

import pytest
import torch

import netwise as nw
from parts.optimizers.gradients import steps


@pytest.mark.parametrize(
    ("combined", "same"),
    [
        (nw.MomentOptimizer(lr=0.1, first="gradient", second="one"), nw.SGD(lr=0.1)),
        (
            nw.MomentOptimizer(lr=0.1, first="average", second="one", corrected=False),
            nw.Momentum(lr=0.1),
        ),
        (
            nw.MomentOptimizer(lr=0.1, first="gradient", second="sum", epsilon=1e-10),
            nw.Adagrad(lr=0.1),
        ),
        (
            nw.MomentOptimizer(
                lr=0.1, first="gradient", second="average", beta2=0.9, corrected=False
            ),
            nw.RMSProp(lr=0.1),
        ),
        (nw.MomentOptimizer(lr=0.1), nw.Adam(lr=0.1)),
    ],
    ids=lambda rule: repr(rule)[:60],
)
def test_combinations_of_moment_rules_are_the_known_optimizers(
    combined: nw.MomentOptimizer, same: nw.Optimizer
) -> None:
    start, gradient_at = steps(1)
    w, v, state, other = start.clone(), start.clone(), combined.init(start), same.init(start)
    for t in range(1, 51):
        gradient = gradient_at(w)
        w, state = combined.step(w, gradient, state, t)
        v, other = same.step(v, gradient, other, t)
        assert float((w - v).abs().max()) < 1e-12


def test_division_by_the_second_moment_descends_where_multiplication_climbs() -> None:
    # On (w + 1)^2 with Adagrad's rules and lr = 0.1. Some texts print lr * m * sqrt(V).
    rule = nw.MomentOptimizer(lr=0.1, first="gradient", second="sum")
    w, state, wrong, V = torch.tensor([5.0]), rule.init(torch.zeros(1)), 5.0, 0.0
    for t in range(1, 11):
        w, state = rule.step(w, 2 * (w + 1), state, t)
        g = 2 * (wrong + 1)
        V += g * g
        wrong -= 0.1 * g * math.sqrt(V)
    assert abs(wrong) > 1e6
    assert float(w) < 5.0


def test_adagrads_rate_falls_to_0_and_rmsprops_does_not() -> None:
    falls, holds = (
        nw.MomentOptimizer(lr=1.0, first="gradient", second="sum"),
        nw.MomentOptimizer(lr=1.0, first="gradient", second="average", corrected=False, beta2=0.9),
    )
    one, other = falls.init(torch.zeros(1)), holds.init(torch.zeros(1))
    rates = []
    for t in range(1, 401):
        _, one = falls.step(torch.zeros(1), torch.ones(1), one, t)
        _, other = holds.step(torch.zeros(1), torch.ones(1), other, t)
        rates.append(float(falls.rates(one, t)))
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(1 / 20, rel=1e-4)
    assert float(holds.rates(other, 400)) == pytest.approx(1.0, rel=1e-4)
