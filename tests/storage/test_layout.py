"""Names of files and folders, and strict JSON."""

from __future__ import annotations

import json
from pathlib import Path

from netwise.schema import parse_json
from netwise.storage.layout import SEARCH, is_search, new_folder, strict_json


def test_folders_are_numbered(tmp_path: Path) -> None:
    home = tmp_path / "not" / "yet"
    names = [new_folder(home, "digits").name for _ in range(3)]
    assert names == ["digits", "digits-2", "digits-3"]
    assert all((home / name).is_dir() for name in names)


def test_strict_json_replaces_numbers_that_json_does_not_have() -> None:
    values = {"a": [float("nan"), float("-inf"), 1.5], "b": (1,), 3: {"c": float("inf")}}
    text = json.dumps(strict_json(values), allow_nan=False)
    assert text == '{"a": ["nan", "-inf", 1.5], "b": [1], "3": {"c": "inf"}}'
    assert float(json.loads(text)["3"]["c"]) == float("inf")


def test_texts_of_strict_json_are_read_again() -> None:
    text = json.dumps(strict_json({"\udcff.csv": ["\ud800", "ä 𝕏"]}))
    assert parse_json(text.encode()) == {"\\udcff.csv": ["\\ud800", "ä 𝕏"]}


def test_a_folder_with_a_plan_is_a_search(tmp_path: Path) -> None:
    assert not is_search(tmp_path)
    (tmp_path / SEARCH).write_text("")
    assert is_search(tmp_path)
