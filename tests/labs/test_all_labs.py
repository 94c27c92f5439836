"""Every lab has its recorded result, which is of the present recipes; quick labs give it again."""

from __future__ import annotations

import re

import pytest

import netwise as nw
from netwise.errors import UnknownName
from netwise.labs.record import recorded

SLOW = [lab for lab in nw.LABS if lab.slow]
QUICK = [lab for lab in nw.LABS if not lab.slow]


@pytest.mark.parametrize("lab", SLOW, ids=lambda lab: lab.name)
def test_a_recorded_result_is_of_the_present_recipes(lab: nw.Lab) -> None:
    result = recorded(lab.name)
    assert result is not None, f"run: netwise lab {lab.name} --record"
    assert result["recipes"] == {name: recipe.hash for name, recipe in lab.arms().items()}
    assert result["criteria"]
    assert {"date", "versions", "seeds"} <= set(result)


@pytest.mark.parametrize("lab", QUICK, ids=lambda lab: lab.name)
def test_a_quick_lab_gives_its_recorded_result_again(lab: nw.Lab) -> None:
    result, old = lab.run(), recorded(lab.name)
    assert old is not None, "run: scripts/labs"
    assert old["verdict"] == result.verdict
    assert old["recipes"] == dict(result.recipes)
    assert old["seeds"] == list(result.seeds)
    assert [row["holds"] for row in old["criteria"]] == [c.holds for c in result.criteria]
    assert [row["of_the_note"] for row in old["criteria"]] == [
        c.part_of_claim for c in result.criteria
    ]
    assert list(old["numbers"]) == list(result.numbers)
    for name, value in result.numbers.items():
        assert old["numbers"][name] == pytest.approx(value, abs=1e-4)
    for criterion, row in zip(result.criteria, old["criteria"], strict=True):
        assert row["seen"] == pytest.approx(criterion.value, abs=1e-4)
    assert result.figure.startswith("<svg")


def test_a_lab_is_found_by_its_id_in_any_case() -> None:
    assert nw.lab("l58") is nw.lab("L58")


def test_an_unknown_id_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(UnknownName, match=r"unknown lab 'L580'.*L58"):
        nw.lab("L580")


@pytest.mark.parametrize("lab", nw.LABS, ids=lambda lab: lab.name)
def test_a_lab_names_a_publication_and_ends_its_sentences(lab: nw.Lab) -> None:
    assert re.search(r"\b(19|20)\d\d\b|CS231n", lab.source)
    assert not re.search(r"\bnote \d", lab.source)
    assert lab.claim.endswith(".")
    assert lab.setting.endswith(".")
