"""Targets that are not scaled: on histories made by hand."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import GUESS, flat, found, history
from netwise import signals
from netwise.diagnosis.rules import target_scale


def test_unscaled_targets() -> None:
    def run(mean: float, std: float, spread: float = 0.5) -> nw.History:
        facts = nw.RunFacts(
            loss_of_guessing=GUESS, class_targets=False, target_mean=mean, target_std=std
        )
        return history({signals.ACTIVATION_STD: flat(1.0, 1.0, 1.0, spread)}, facts=facts)

    assert found(target_scale.target_not_scaled(run(150.0, 77.0))).strength == pytest.approx(5)
    assert found(target_scale.target_not_scaled(run(0.0, 500.0)))
    assert target_scale.target_not_scaled(run(0.0, 1.0)) is None
    assert target_scale.target_not_scaled(run(29.0, 14.0)) is None
    assert (
        target_scale.target_not_scaled(run(150.0, 77.0, spread=20.0)) is None
    )  # the outputs reach there
