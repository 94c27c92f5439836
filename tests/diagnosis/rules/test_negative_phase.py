"""Energy models: on histories made by hand on both sides of the limits."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, history
from netwise import signals
from netwise.diagnosis.rules import negative_phase as rules

BASE = [-100.0] * 4  # log-likelihood of independent inputs


def model(values: list[float], more: dict[str, list[float]] | None = None) -> nw.History:
    """A machine with these exact log-likelihoods, and reconstruction errors that fall."""
    whole = {
        signals.LOG_LIKELIHOOD: values,
        signals.BASE_RATE_LIKELIHOOD: BASE,
        signals.RECONSTRUCTION: [9.0, 8.0, 7.0, 6.0],
        **(more or {}),
    }
    return history(whole=whole)


def test_a_model_that_gains_nothing_over_independent_inputs_is_found() -> None:
    finding = found(rules.hidden_unused(model([-100.5, -100.0, -99.5, -99.0])))
    assert finding.sentence == (
        "The best log-likelihood of an input is -99.0 nats, and that of a model of independent "
        "inputs -100.0: the hidden units are not used."
    )
    assert finding.evidence[0].value == pytest.approx(0.01)
    assert rules.hidden_unused(model([-100.0, -99.0, -98.0, -97.9])) is None


def test_a_model_that_became_far_worse_uses_its_hidden_units() -> None:
    assert rules.hidden_unused(model([-100.0, -105.0, -110.0, -111.0])) is None


def test_chains_that_do_not_move_are_found() -> None:
    stuck = model([-90.0] * 4, {signals.CHAIN_AUTOCORRELATION: [0.2, 0.5, 0.95, 0.95]})
    assert found(rules.negative_phase_stuck(stuck)).evidence[0].value == 0.95
    mixing = model([-90.0] * 4, {signals.CHAIN_AUTOCORRELATION: [0.2, 0.5, 0.95, 0.9]})
    assert rules.negative_phase_stuck(mixing) is None


def test_a_model_worse_than_independent_inputs_is_found() -> None:
    finding = found(rules.negative_phase_stuck(model([-90.0, -95.0, -100.0, -111.0])))
    assert finding.evidence[0].value == pytest.approx(0.11)
    assert "less than that of a model of independent inputs (-100.0)" in finding.sentence


def test_a_likelihood_that_falls_while_reconstructions_improve_is_found() -> None:
    falling = [-95.0, -90.0, -91.0, -91.5]
    finding = found(rules.negative_phase_stuck(model(falling)))
    assert finding.evidence[0].value == pytest.approx(1.5 / 10)
    assert finding.steps == (10, 30)
    assert rules.negative_phase_stuck(model([-95.0, -90.0, -90.5, -91.0])) is None
    worse = model(falling, {signals.RECONSTRUCTION: [9.0, 6.0, 7.0, 8.0]})
    assert rules.negative_phase_stuck(worse) is None


def test_a_model_that_overfits_has_chains_that_are_right() -> None:
    """The likelihood of the training part, from the gap of free energies, does not fall."""
    overfitted = model(
        [-95.0, -90.0, -91.0, -91.5], {signals.FREE_ENERGY_GAP: [0.0, 0.0, 1.5, 2.5]}
    )
    assert rules.negative_phase_stuck(overfitted) is None


def test_only_the_last_layer_of_a_stack_counts() -> None:
    values = [-100.0, -50.0, -100.0, -99.5]  # of the second layer: the last two
    finding = found(rules.hidden_unused(model(values, {signals.STAGE: [1.0, 1.0, 2.0, 2.0]})))
    assert finding.steps == (20, 30)
