"""Inputs that are the same for all samples."""

from __future__ import annotations

from typing import Any

import netwise as nw
from histories import found, history, observed
from netwise import signals
from netwise.diagnosis.rules.inputs_alike import inputs_alike


def of(shares: tuple[float, ...] | None, **facts: Any) -> nw.History:
    return observed().but(data=nw.DataFacts(**facts), facts=nw.RunFacts(class_shares=shares))


def test_equal_inputs_of_several_classes() -> None:
    finding = found(inputs_alike(of((0.5, 0.3, 0.2), features=10, constant_features=10)))
    assert (
        "equal in all of their 10 numbers, and their targets are of 3 classes" in finding.sentence
    )
    assert inputs_alike(of((0.5, 0.5), features=10, constant_features=9)) is None


def test_one_picture_with_one_target_is_no_fault() -> None:
    assert inputs_alike(of(None, features=10, constant_features=10)) is None
    assert inputs_alike(of((1.0, 0.0), features=10, constant_features=10)) is None


def test_what_was_not_seen_is_not_checked() -> None:
    assert isinstance(inputs_alike(history()), nw.Unchecked)
    assert isinstance(inputs_alike(of((0.5, 0.5))), nw.Unchecked)


def test_one_number_everywhere_whatever_the_targets_are() -> None:
    def run(means: list[float], spreads: list[float], constant: int = 6) -> nw.History:
        whole = {signals.INPUT_MEAN: means, signals.INPUT_STD: spreads}
        return observed(whole).but(data=nw.DataFacts(constant_features=constant))

    finding = found(inputs_alike(run([1.0] * 6, [0.0] * 6)))
    assert "All numbers of all training inputs that were seen are 1" in finding.sentence
    assert isinstance(inputs_alike(run([1.0] * 6, [0.1] * 6)), nw.Unchecked)
    assert isinstance(inputs_alike(run([1.0, 2.0] * 3, [0.0] * 6)), nw.Unchecked)
    assert isinstance(inputs_alike(run([1.0] * 6, [0.0] * 6, constant=1)), nw.Unchecked)


def test_rows_of_symbols_that_are_one_row() -> None:
    asked = ((80, 0, 0), (70, 150, 70))
    finding = found(inputs_alike(of(None, train_samples=1, answers=asked)))
    assert "one and the same row, and their targets are of 2 classes" in finding.sentence
    alike = of((0.5, 0.5), train_samples=2, answers=asked, features=4, constant_features=0)
    assert inputs_alike(alike) is None
