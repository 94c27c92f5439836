"""Gains of remedies with their intervals."""

from __future__ import annotations

from typing import Any

import netwise as nw
from netwise.report.pictures.drawing import GREEN, GREY, RED
from netwise.report.pictures.trial_plots import gains


def trial(name: str, gain: float, low: float, high: float, **fields: Any) -> nw.TrialResult:
    return nw.TrialResult(
        name,
        seeds=(0, 1),
        before=(0.1, 0.2),
        after=(0.1 + gain, 0.2 + gain),
        gain=gain,
        low=low,
        high=high,
        **fields,
    )


def test_each_applicable_remedy_has_pairs_interval_and_mean(drawn: list[Any]) -> None:
    trials = [
        trial("use_adam", 0.5, 0.4, 0.6),
        nw.TrialResult("use_relu", not_applicable="the hidden layers are ReLU already"),
        trial("widen", 0.0, -0.1, 0.1),
        trial("shrink", -0.3, -0.4, -0.2),
    ]
    assert gains(trials, "round 1").startswith("<svg")
    axis = drawn[0].axes[0]
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["use_adam", "widen", "shrink"]
    zero, *lines = axis.lines
    assert set(zero.get_xdata()) == {0}
    dots, interval, mean = lines[:3]
    assert [round(x, 6) for x in dots.get_xdata()] == [50.0, 50.0]
    assert list(interval.get_xdata()) == [40.0, 60.0]
    assert list(mean.get_xdata()) == [50.0]
    assert [line.get_color() for line in lines[::3]] == [GREEN, GREY, RED]
    assert "gain in points" in axis.get_xlabel()


def test_nats_are_not_multiplied(drawn: list[Any]) -> None:
    gains([trial("raise_rate", 5.0, 4.0, 6.0, unit="nats")])
    axis = drawn[0].axes[0]
    assert list(axis.lines[2].get_xdata()) == [4.0, 6.0]
    assert "gain in nats" in axis.get_xlabel()


def test_without_an_applicable_remedy_there_is_no_picture() -> None:
    assert gains([]) == ""
    assert gains([nw.TrialResult("use_relu", not_applicable="no")]) == ""
