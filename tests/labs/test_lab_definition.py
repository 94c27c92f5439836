"""Verdicts and conclusions follow from the criteria of the claim alone."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.labs.lab_definition import Criterion, LabResult, recipe_hashes


def result_of(*holds: bool, beside: bool | None = None) -> LabResult:
    criteria = [Criterion(f"statement {i}", float(i), value) for i, value in enumerate(holds)]
    if beside is not None:
        criteria.append(Criterion("beside the claim", 9.0, beside, part_of_claim=False))
    return LabResult({"x": 1.0}, tuple(criteria), "<svg/>", {"arm": "0123"}, (0, 1))


@pytest.mark.parametrize(
    ("holds", "verdict", "conclusion"),
    [
        ((True,), "confirmed", "The claim holds here: 1 criterion met."),
        ((True, True), "confirmed", "The claim holds here: 2 criteria met."),
        (
            (True, False, True),
            "partly confirmed",
            "The claim holds in part: 2 of 3 criteria are met. Not met: statement 1.",
        ),
        (
            (False, False, True),
            "partly confirmed",
            "The claim holds in part: 1 of 3 criteria is met. Not met: statement 0; statement 1.",
        ),
        ((False, False), "refuted", "The claim does not hold here: 2 criteria not met."),
    ],
)
@pytest.mark.parametrize("beside", [None, True, False])
def test_a_verdict_is_that_of_the_claims_criteria(
    holds: tuple[bool, ...], verdict: str, conclusion: str, beside: bool | None
) -> None:
    result = result_of(*holds, beside=beside)
    assert result.verdict == verdict
    assert result.conclusion == conclusion


def test_plain_values_have_the_keys_of_recorded_files() -> None:
    assert result_of(True, beside=False).plain() == {
        "verdict": "confirmed",
        "numbers": {"x": 1.0},
        "recipes": {"arm": "0123"},
        "seeds": [0, 1],
        "settings": {},
        "seconds": 0.0,
        "criteria": [
            {"says": "statement 0", "seen": 0.0, "holds": True, "of_the_note": True},
            {"says": "beside the claim", "seen": 9.0, "holds": False, "of_the_note": False},
        ],
    }


def test_hashes_are_those_of_the_recipes(small: nw.Recipe) -> None:
    other = small.but(epochs=5)
    assert recipe_hashes({"a": small, "b": other}) == {"a": small.hash, "b": other.hash}
    assert small.hash != other.hash
