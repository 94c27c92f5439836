"""A loss of several parts, of which one leaves nothing to the part with targets."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import history
from netwise import signals
from netwise.diagnosis.rules import Finding, Unchecked, loss_facts, loss_parts


def run(main: list[float], others: list[float], r2: list[float] | None = None) -> nw.History:
    whole = {signals.LOSS_OF_TARGETS: main, signals.LOSS_OF_OTHERS: others}
    if r2 is not None:
        whole[signals.BATCH_R2] = r2
    return history(whole=whole).but(wiring=nw.Wiring("Net"))


@pytest.mark.parametrize(
    ("main", "others", "r2", "found"),
    [
        ([30.0] * 12, [8.0] * 6 + [0.1] * 6, 0.0, True),  # brought down
        ([30.0] * 12, [900.0] * 12, 0.0, True),  # much larger
        ([30.0] * 12, [8.0] * 12, 0.0, False),
        ([30.0] * 12, [0.5] * 6 + [0.0] * 6, 0.0, False),  # it never mattered
        ([30.0] * 6 + [3.0] * 6, [900.0] * 12, 0.9, False),
        ([30.0] * 6 + [20.0] * 6, [2.0] * 6 + [0.01] * 6, 0.0, True),  # a collapsed posterior
        ([30.0] * 6 + [20.0] * 6, [2.0] * 6 + [0.01] * 6, 0.3, False),
        ([30.0] * 6 + [20.0] * 6, [0.1] * 6 + [2.0] * 6, 0.0, False),  # codes that hold more
        ([30.0] * 12, [-8.0, 8.0] * 3 + [0.1] * 6, 0.0, False),  # gains and losses of actions
        ([0.2] * 6 + [0.02] * 6, [-7.0, 3.0] * 6, 0.0, False),  # a critic beside them
        ([30.0] * 12, [900.0] * 12, 0.8, False),  # most is explained, the rest is noise
    ],
)
def test_parts(main: list[float], others: list[float], r2: float, found: bool) -> None:
    answer = loss_parts.one_part_rules(run(main, others, [r2] * 12))
    assert isinstance(answer, Finding) is found


def test_few_steps_and_one_part() -> None:
    assert isinstance(loss_parts.one_part_rules(run([3.0] * 4, [9.0] * 4)), Unchecked)
    alone = history().but(wiring=nw.Wiring("Net"))
    assert isinstance(loss_parts.one_part_rules(alone), Unchecked)


@pytest.mark.parametrize(
    ("rest", "found"), [([1.0, 1.2, 0.9, 1.1, 1.3], True), ([0.1] * 5, False), ([0.0] * 5, False)]
)
def test_a_part_that_changes_and_has_no_gradient(rest: list[float], found: bool) -> None:
    wiring = nw.Wiring("Net", losses=(nw.LossTerm("cross entropy"),))
    run = history(whole={signals.LOSS_WITHOUT_GRADIENT: rest}).but(wiring=wiring)
    assert isinstance(loss_facts.part_without_gradient(run), Finding) is found
