"""Targets that are not scaled: on histories made by hand."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import GUESS, flat, found, history, observed
from netwise import signals
from netwise.diagnosis.rules import target_scale
from netwise.tasks import SQUARED


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


def test_targets_of_one_part_of_a_loss() -> None:
    """As boxes in pixels beside classes."""
    classes = nw.LossTerm("cross entropy", target_kind="class numbers")

    def run(high: float, *others: nw.LossTerm, final: float = 2.3) -> nw.History:
        boxes = nw.LossTerm(
            "squared error", place="a.py:5", target_low=0.0, target_high=high, target_kind="numbers"
        )
        return observed(
            losses=(*others, boxes),
            by_layer={signals.ACTIVATION_STD: flat(1.0, 1.0, 1.0, 0.5)},
            final=final,
        )

    finding = found(target_scale.target_not_scaled(run(620.0, classes)))
    assert "the squared error, are from 0 to 620" in finding.sentence
    assert "those of the other parts (cross entropy) are lost (a.py:5)" in finding.sentence
    assert not isinstance(target_scale.target_not_scaled(run(1.0, classes)), nw.Finding)
    assert not isinstance(target_scale.target_not_scaled(run(620.0)), nw.Finding)
    learned = target_scale.target_not_scaled(run(620.0, classes, final=0.1))
    assert not isinstance(learned, nw.Finding)


def test_targets_in_units_that_are_far_apart() -> None:
    def run(spreads: tuple[float, float] | None, kind: str = SQUARED, **facts: float) -> nw.History:
        data = nw.DataFacts(train_samples=300, class_targets=False, target_spreads=spreads, **facts)  # type: ignore[arg-type]
        return observed(final=0.1, facts=nw.RunFacts(loss_kind=kind)).but(data=data)

    rule = target_scale.targets_of_unlike_units
    finding = found(rule(run((0.5, 50.0), linear_score=0.9)))
    assert "from 0.5 to 50" in finding.sentence
    assert "10,000 times" in finding.sentence
    assert finding.grade == "cause"
    assert found(rule(run((0.5, 50.0), linear_score=0.0))).grade == "suspect"
    assert rule(run((0.5, 5.0))) is None
    assert rule(run((0.5, 50.0), kind="cross entropy of logits")) is None
    assert rule(run(None)) is None
    assert isinstance(rule(observed()), nw.Unchecked)
