"""What commands print and write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import netwise as nw
from netwise.cli.output import (
    PICTURES,
    SCRIPTS,
    data_name,
    echo_json,
    echo_table,
    folder_name,
    fresh_folder,
    require_new_file,
)


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    echo_json({"a": float("nan"), "b": (1, 2)})
    text = capsys.readouterr().out
    assert json.loads(text, parse_constant=pytest.fail) == {"a": "nan", "b": [1, 2]}


def test_tables_are_aligned_without_trailing_space(capsys: pytest.CaptureFixture[str]) -> None:
    echo_table([("run", "ended"), ("digits-3f2a", "finished"), ("iris", "")])
    assert capsys.readouterr().out == "run          ended\ndigits-3f2a  finished\niris\n"


def test_an_existing_file_and_an_unknown_ending_are_refused() -> None:
    Path("a.png").write_text("mine")
    message = r"a\.png exists already, and files are never overwritten\. Use a new name\."
    with pytest.raises(nw.DataError, match=message):
        require_new_file(Path("a.png"), PICTURES)
    message = r"a\.txt: its name has to end in \.png or \.svg\. Write a\.png\."
    with pytest.raises(nw.DataError, match=message):
        require_new_file(Path("a.txt"), PICTURES)
    require_new_file(Path("b.svg"), PICTURES)
    require_new_file(Path("script"), SCRIPTS)


@pytest.mark.parametrize(
    ("recipe", "name"),
    [
        ({"data": "digits"}, "digits"),
        ({"data": {"kind": "csv", "path": "my data/pets & co.csv"}}, "pets---co"),
        ({"data": {"kind": "mnist", "path": ""}}, "mnist"),
        ({}, "run"),
    ],
)
def test_runs_are_named_after_their_data(recipe: dict[str, object], name: str) -> None:
    assert data_name(recipe) == name


def test_a_folder_name_has_the_data_and_the_hash(small: nw.Recipe) -> None:
    assert folder_name(small) == f"iris-{small.hash[:4]}"
    assert folder_name(small, "-treated") == f"iris-{small.hash[:4]}-treated"


def test_a_fresh_folder_that_an_error_leaves_empty_is_deleted() -> None:
    home = Path("runs")
    with pytest.raises(ValueError, match="broken"), fresh_folder(home, "a"):
        raise ValueError("broken")
    assert not list(home.iterdir())
    with pytest.raises(ValueError, match="broken"), fresh_folder(home, "a") as folder:
        (folder / "half").write_text("kept")
        raise ValueError("broken")
    assert [path.name for path in home.iterdir()] == ["a"]
    with fresh_folder(home, "a") as folder:
        assert folder.name == "a-2"
