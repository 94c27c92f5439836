"""Unshuffled data: on histories made by hand, and in a loop over sorted samples."""

from __future__ import annotations

import netwise as nw
from histories import found, history, report_of_a_loop
from netwise import signals
from netwise.diagnosis.rules import shuffling


def test_batches_of_few_classes_are_found() -> None:
    def batches(held: float, **facts: object) -> nw.History:
        return history(
            whole={signals.BATCH_CLASSES: [held] * 12},
            facts=nw.RunFacts(classes=10, batch_size=64, **facts),
        )  # type: ignore[arg-type]

    assert (
        found(shuffling.not_shuffled(batches(1.0))).sentence
        == "A batch of 64 samples holds 1 of 10 classes; drawn at random it would hold 10.0."
    )
    assert shuffling.not_shuffled(batches(9.0)) is None
    assert (
        shuffling.not_shuffled(batches(1.0, loss_of_guessing=100.0)) is None
    )  # it learned all the same


def test_sorted_batches_are_found() -> None:
    assert report_of_a_loop(shuffle=False).found[0].rule == "not_shuffled"
    assert "not_shuffled" in report_of_a_loop().clear
