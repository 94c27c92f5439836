"""The criteria of L76 can fail both ways."""

from __future__ import annotations

from dataclasses import replace

from netwise.labs.convolution.imagenet_errors import (
    ENTRY_OF_2012,
    HEADLINES,
    headline_criteria,
    is_falling,
)
from netwise.labs.lab_definition import LabResult


def test_criteria_can_fail_both_ways() -> None:
    assert LabResult({}, headline_criteria(HEADLINES), "").verdict == "partly confirmed"
    first = replace(HEADLINES["AlexNet (2012)"], noted=ENTRY_OF_2012, paper=ENTRY_OF_2012)
    corrected = {**HEADLINES, "AlexNet (2012)": first}
    assert LabResult({}, headline_criteria(corrected), "").verdict == "confirmed"
    wrong = {name: replace(row, noted=row.noted + 1) for name, row in HEADLINES.items()}
    assert LabResult({}, headline_criteria(wrong), "").verdict == "refuted"


def test_single_networks_that_repeat_their_papers_are_seen() -> None:
    alone = {n: replace(row, networks=1, single=row.paper) for n, row in HEADLINES.items()}
    criteria = headline_criteria(alone)[2:]
    assert [criterion.holds for criterion in criteria] == [False, False, True]
    assert is_falling([3.0, 2.0, 1.0])
    assert not is_falling([3.0, 3.0])
