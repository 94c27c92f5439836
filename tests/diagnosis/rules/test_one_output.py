"""One output with class numbers as targets."""

from __future__ import annotations

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.one_output import one_output_for_classes
from netwise.wiring import BINARY_CROSS_ENTROPY, SQUARED_ERROR


def run(
    classes: int | None = 3,
    high: float = 2.0,
    shape: tuple[int, ...] = (32, 1),
    operation: str = BINARY_CROSS_ENTROPY,
) -> object:
    term = nw.LossTerm(operation, output_shape=shape, target_low=0.0, target_high=high)
    data = nw.DataFacts(whole_targets=classes)
    return one_output_for_classes(observed(losses=(term,)).but(data=data))


def test_class_numbers_and_a_single_output() -> None:
    assert "are 3 whole numbers, from 0 to 2" in found(run()).sentence
    assert found(run(shape=(32,)))


def test_other_outputs_and_targets() -> None:
    assert run(classes=2, high=1.0) is None
    assert run(classes=None) is None  # numbers that are not whole
    assert run(shape=(32, 3)) is None
    assert run(operation=SQUARED_ERROR) is None  # counts may be whole numbers
    assert isinstance(one_output_for_classes(observed()), nw.Unchecked)
