"""Overloaded memories: on histories made by hand on both sides of the limit."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, history
from netwise import signals
from netwise.diagnosis.rules import memory_capacity


def memory(overlap: float, load: float, noise: float = 0.0) -> nw.History:
    """Recall from noise of so many flipped units, and of 30 % of them."""
    return history(
        whole={
            signals.MEMORY_OVERLAP: [overlap, 0.2],
            signals.MEMORY_NOISE: [noise, 0.3],
            signals.MEMORY_LOAD: [load],
            signals.MEMORY_UNSTABLE: [0.7],
            signals.MEMORY_CROSSTALK: [1.4],
        }
    )


def test_a_memory_that_loses_its_own_patterns_is_found() -> None:
    finding = found(memory_capacity.memory_overloaded(memory(0.5, 0.4)))
    assert finding.sentence == (
        "The memory does not recall its own patterns (overlap 0.50 when recall starts from the "
        "pattern itself, 0.400 patterns per unit): there are too many."
    )
    assert [str(each) for each in finding.evidence][1:] == [
        "patterns per unit: 0.4 (limit 0.138)",
        "patterns that are no fixed points: 70 % (limit 50 %)",
        "largest crosstalk of a bit: 1.4 (limit 1)",
    ]
    assert finding.strength == pytest.approx(0.967 / 0.5)


def test_few_patterns_that_are_lost_are_too_similar() -> None:
    finding = found(memory_capacity.memory_overloaded(memory(0.9, 0.05)))
    assert finding.sentence.endswith("they are too similar.")


def test_recall_from_noise_alone_says_nothing() -> None:
    assert memory_capacity.memory_overloaded(memory(0.5, 0.4, noise=0.1)) is None
    assert memory_capacity.memory_overloaded(memory(0.967, 0.4)) is None
