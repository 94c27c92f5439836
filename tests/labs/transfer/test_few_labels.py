"""Classes are taken and numbered anew; the starts of L82 differ by their weights and frozen layers
alone; its criteria can fail both ways."""

from __future__ import annotations

from netwise import data
from netwise.labs.lab_definition import LabResult
from netwise.labs.transfer.few_labels import (
    FINE,
    FROZEN,
    LABELS,
    SCRATCH,
    SomeClasses,
    TransferSettings,
    first_training,
    second_training,
    transfer_criteria,
)

SETTINGS = TransferSettings()


def test_classes_are_taken_and_numbered_anew() -> None:
    whole, some = data.digits().load(), SomeClasses(data=data.digits(), classes=(7, 3)).load()
    assert some.classes == ("7", "3")
    kept = (whole.train.y == 7) | (whole.train.y == 3)
    assert len(some.train) == int(kept.sum())
    assert some.train.y.tolist() == [int(y == 3) for y in whole.train.y[kept]]
    assert set(some.test.y.tolist()) == {0, 1}


def test_starts_differ_by_weights_and_frozen_layers_alone() -> None:
    scratch, frozen, fine = (
        second_training(start, 50, SETTINGS, seed=2) for start in (SCRATCH, FROZEN, FINE)
    )
    assert fine.but(init=scratch.init) == scratch
    assert frozen.but(tuning=fine.tuning, optimizer=fine.optimizer) == fine
    assert fine.init.recipe == first_training(SETTINGS, 2)  # type: ignore[attr-defined]
    assert frozen.tuning is not None
    factors = frozen.tuning.factors(frozen.network.build())
    assert [name for name, factor in factors.items() if factor] == ["head"]


def verdict(few: float, many: float) -> str:
    """Of fine-tuning that leads freezing by `few` and `many` points."""
    scores = {}
    for labels in LABELS:
        lead = few if labels <= 50 else many
        scores[SCRATCH, labels] = [40.0, 41.0]
        scores[FROZEN, labels] = [50.0, 51.0]
        scores[FINE, labels] = [50.0 + lead, 51.0 + lead]
    return LabResult({}, transfer_criteria(scores), "").verdict


def test_criteria_can_fail_both_ways() -> None:
    assert verdict(-3.0, 2.0) == "confirmed"
    assert verdict(3.0, 2.0) == "partly confirmed"
    assert verdict(3.0, -2.0) == "refuted"
