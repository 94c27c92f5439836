"""Modules that are evaluated in the place of the trained one."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules.constant_gradients import derivative_without_graph
from netwise.diagnosis.rules.evaluated_modules import average_lags, untrained_is_evaluated


def run(**facts: object) -> nw.History:
    return history().but(wiring=nw.Wiring(**facts))  # type: ignore[arg-type]


def test_a_new_module() -> None:
    assert (
        "another Net is evaluated"
        in found(untrained_is_evaluated(run(evaluated_fresh="Net"))).sentence
    )
    assert untrained_is_evaluated(run()) is None


def test_an_average() -> None:
    finding = found(average_lags(run(evaluated_average="Net", average_follows=0.08)))
    assert "8 % of their way" in finding.sentence
    assert average_lags(run(evaluated_average="Net", average_follows=0.6)) is None
    assert average_lags(run()) is None


def test_a_derivative_without_a_graph() -> None:
    finding = found(derivative_without_graph(run(constant_gradients="pinn.py:9")))
    assert "pinn.py:9" in finding.sentence
    assert derivative_without_graph(run()) is None
