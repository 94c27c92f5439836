"""netwise notes and netwise errata."""

from __future__ import annotations

import json
from pathlib import Path

from cli.command_line import run
from netwise.labs.errata.erratum import errata
from netwise.notes.outline import contents


def test_notes_are_printed_whole_and_by_words() -> None:
    everything = run("notes").stdout
    assert everything.count("Note 00") == 5
    assert "labs: L01, L02" in everything
    found = run("notes", "梯度消失").stdout
    assert "D01  early layers hardly move  [finding vanishing_gradient" in found
    assert "Hopfield" not in found
    wrong = run("notes", "no", "such", "words")
    assert wrong.exit_code == 2
    assert "Write fewer words" in wrong.stderr


def test_notes_have_json_and_a_page(here: Path) -> None:
    assert len(json.loads(run("notes", "--json").stdout)) == len(contents())
    [section] = json.loads(run("notes", "E05", "--json").stdout)
    assert section["errata"][0]["id"] == "E05"
    assert run("notes", "--html", "notes.html").stdout == "Page: notes.html\n"
    assert (here / "notes.html").is_file()
    again = run("notes", "--html", "notes.html")
    assert again.exit_code == 2
    assert "exists already" in again.stderr


def test_errata_are_listed_and_checked() -> None:
    listed = run("errata").stdout
    assert all(f"{name}  " in listed for name in errata())
    checked = run("errata", "e08").stdout
    assert "What is printed fails; what is right holds." in checked
    assert "netwise lab L15" in checked
    [document] = json.loads(run("errata", "E16", "--json").stdout)
    assert document["printed_fails"]
    assert document["right_holds"]
    assert document["measured"]["|x|, tanh"] < 3
    assert "Did you mean" in run("errata", "E99").stderr
