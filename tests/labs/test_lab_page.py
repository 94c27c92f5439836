"""The page of a lab shows claim, conclusion, criteria and numbers."""

from __future__ import annotations

from pathlib import Path

import netwise as nw
from netwise.labs.catalogue import LabText, Variation
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.labs.lab_page import write_lab


def page_of(tmp_path: Path, recipes: dict[str, str], text: LabText | None = None) -> str:
    criteria = (
        Criterion("a < b & c", 0.123456, False),
        Criterion("beside it", 2.0, True, part_of_claim=False),
    )
    result = LabResult({"gain": 1.0 / 3}, criteria, "<svg></svg>", recipes)
    lab = Lab[LabSettings]("L99", text or TEXT, lambda _: result)
    return write_lab(lab, result, tmp_path / "L99.html").read_text("utf-8")


TEXT = LabText("Claims are true.", experiment="Ten runs.", source="Author 1999, Title")


def test_a_page_says_what_to_conclude(tmp_path: Path) -> None:
    text = page_of(tmp_path, {"arm": "0123456789ab"})
    assert "L99: refuted" in text
    assert "Claims are true." in text
    assert "The claim does not hold here: 1 criterion not met." in text
    assert "Ten runs." in text
    assert "Source: Author 1999, Title." in text
    assert "Run it as it is: <code>netwise lab L99</code>" in text
    for absent in ("study note", "Why one would", "Erratum", "Settings:", "<form"):
        assert absent not in text


def test_a_page_shows_criteria_numbers_and_recipes(tmp_path: Path) -> None:
    text = page_of(tmp_path, {"arm": "0123456789ab"})
    assert "a &lt; b &amp; c" in text
    assert "0.1235" in text
    assert text.index("does not hold") < text.index("beside it") < text.rindex("holds")
    assert text.index("<svg>") < text.index("<details>") < text.index("0.33333")
    assert "Hashes of the recipes: arm 0123456789ab." in text


def test_a_lab_without_recipes_shows_no_hashes(tmp_path: Path) -> None:
    assert "Hashes" not in page_of(tmp_path, {})


def test_a_page_teaches(tmp_path: Path) -> None:
    change = (Variation("Fewer epochs: the gap closes.", {"epochs": 5}),)
    text = LabText(
        "Claims are true.",
        claim_zh="说法是对的。",
        note="003",
        section="激活函数",
        section_en="activations",
        why="Since they are.",
        meaning="They are not.",
        source="Author 1999",
        erratum="E16",
        change=change,
    )
    page = page_of(tmp_path, {}, text)
    order = ("说法是对的。", "study note 003", "Since they are.", "<svg>", "They are not.", "E16")
    assert [page.index(part) for part in order] == sorted(page.index(part) for part in order)
    assert "Fewer epochs: the gap closes. <code>netwise lab L99 --set epochs=5</code>" in page


def test_a_changed_setting_is_told_and_values_stand_side_by_side(tmp_path: Path) -> None:
    lab = nw.lab("L01")
    assert lab.stops is not None
    changed = write_lab(lab, lab.run(rate=0.5), tmp_path / "changed.html").read_text("utf-8")
    assert "other settings than the recorded one: rate = 0.5." in changed
    assert 'type="radio"' not in changed
    page = write_lab(lab, lab.run(), tmp_path / "L01.html").read_text("utf-8")
    assert page.count('type="radio"') == page.count('class="stop"') == len(lab.stops[1])
    assert page.count(" checked>") == 1
    assert page.count("<svg") == len(lab.stops[1])
    assert "<script" not in page
