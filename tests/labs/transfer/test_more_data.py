"""All ways of L81 take as many steps; its criteria can fail both ways."""

from __future__ import annotations

from netwise.labs.lab_definition import LabResult
from netwise.labs.transfer.more_data import (
    BOOTSTRAP,
    NONE,
    REAL,
    WAYS,
    EnlargeSettings,
    enlarged,
    enlarging_criteria,
    gains_of,
)

SETTINGS = EnlargeSettings(rows=40, epochs=8)


def test_all_ways_take_as_many_steps() -> None:
    plain = enlarged(NONE, SETTINGS)
    assert plain.augment == ()
    for way in WAYS:
        recipe = enlarged(way, SETTINGS)
        assert recipe.epochs * 2 == plain.epochs
        assert (recipe.augment == ()) == (way == REAL)
        same = recipe.but(augment=(), epochs=plain.epochs, data=plain.data)
        assert same == plain


def test_gains_are_paired() -> None:
    scores = {way: [11.0, 21.0, 31.5] for way in WAYS} | {NONE: [10.0, 20.0, 30.0]}
    mean, low, high = gains_of(scores)[REAL]
    assert low < mean < high
    assert abs(mean - 3.5 / 3) < 1e-9


def test_criteria_can_fail_both_ways() -> None:
    helps, harms = (1.0, 0.5, 1.5), (-1.0, -1.5, -0.5)
    all_help = enlarging_criteria({**dict.fromkeys(WAYS, helps), REAL: (2.0, 1.5, 2.5)})
    assert LabResult({}, all_help, "").verdict == "confirmed"
    assert [criterion.holds for criterion in all_help[4:]] == [True, False]
    none = enlarging_criteria({**dict.fromkeys(WAYS, harms), BOOTSTRAP: (0.0, -0.1, 0.1)})
    assert LabResult({}, none, "").verdict == "refuted"
    assert [criterion.holds for criterion in none[4:]] == [False, True]
