"""The page of a lab shows claim, conclusion, criteria and numbers."""

from __future__ import annotations

from pathlib import Path

from netwise.labs.catalogue import LabText
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.lab_page import write_lab


def page_of(tmp_path: Path, recipes: dict[str, str]) -> str:
    criteria = (
        Criterion("a < b & c", 0.123456, False),
        Criterion("beside it", 2.0, True, part_of_claim=False),
    )
    result = LabResult({"gain": 1.0 / 3}, criteria, "<svg></svg>", recipes)
    lab = Lab[LabSettings](
        "L99",
        LabText("Claims are true.", experiment="Ten runs.", source="Author 1999, Title"),
        lambda _: result,
    )
    return write_lab(lab, result, tmp_path / "L99.html").read_text("utf-8")


def test_a_page_says_what_to_conclude(tmp_path: Path) -> None:
    text = page_of(tmp_path, {"arm": "0123456789ab"})
    assert "L99: refuted" in text
    assert "Claim: Claims are true." in text
    assert "The claim does not hold here: 1 criterion not met." in text
    assert "Experiment: Ten runs. Source: Author 1999, Title." in text
    assert "Run it again: <code>netwise lab L99</code>" in text


def test_a_page_shows_criteria_numbers_and_recipes(tmp_path: Path) -> None:
    text = page_of(tmp_path, {"arm": "0123456789ab"})
    assert "a &lt; b &amp; c" in text
    assert "0.1235" in text
    assert text.index("does not hold") < text.index("beside it") < text.rindex("holds")
    assert "0.33333" in text
    assert "Hashes of the recipes: arm 0123456789ab." in text


def test_a_lab_without_recipes_shows_no_hashes(tmp_path: Path) -> None:
    assert "Hashes" not in page_of(tmp_path, {})
