"""Signals: each has a name, a meaning for people and limits that its values keep."""

from __future__ import annotations

import math

import pytest

import netwise as nw
from netwise import signals
from netwise.signals import SIGNALS, valid_value


def test_every_constant_is_the_name_of_a_signal() -> None:
    constants = {
        value
        for name, value in vars(signals).items()
        if name.isupper() and isinstance(value, str) and name != "NETWORK"
    }
    assert constants | set(signals.VALID_METRICS.values()) == set(SIGNALS)
    assert all(name == signal.name for name, signal in SIGNALS.items())


@pytest.mark.parametrize("signal", SIGNALS.values(), ids=lambda signal: signal.name)
def test_a_signal_explains_itself(signal: signals.Signal) -> None:
    assert len(signal.meaning) > 10
    assert not signal.meaning.endswith(".")
    assert signal.good in ("low", "high", "")
    assert float(signal.lowest or "-inf") < float(signal.highest or "inf")


@pytest.mark.parametrize("name", ["relu_adam", "autoencoder", "variational", "rbm", "hopfield"])
def test_recorded_values_are_within_the_limits_of_their_signals(name: str) -> None:
    history = nw.fit(nw.gallery.healthy[name].recipe.but(epochs=2), test=False).history
    for (name, _), series in history.series.items():
        signal = SIGNALS[name]
        low, high = float(signal.lowest or "-inf"), float(signal.highest or "inf")
        assert all(low - 1e-5 <= value <= high + 1e-5 for value in series.finite), name


def test_the_value_of_an_epoch_is_accuracy_or_r2() -> None:
    assert valid_value({"valid.accuracy": 0.9, "valid.loss": 1.0}) == 0.9
    assert valid_value({"valid.r2": 0.4}) == 0.4
    assert valid_value({"valid.loss": 1.0}) is None
    assert math.isnan(valid_value({"valid.r2": float("nan")}) or 0.0)
