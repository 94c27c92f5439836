"""netwise lab."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

import netwise as nw
from cli.command_line import run


def test_labs_are_listed_and_run() -> None:
    assert "L01  A sigmoid neuron" in run("lab").stdout
    result = run("lab", "L02")
    assert "L02: partly confirmed." in result.stdout
    assert "NOT MET  at rate 0.005, which the source uses" in result.stdout
    assert Path("labs/L02.html").is_file()


def test_labs_are_listed_with_their_verdicts() -> None:
    lines = run("lab").stdout.splitlines()
    assert len(lines) == len(nw.LABS) + 1
    for line, lab in zip(lines, nw.LABS, strict=False):
        assert line.startswith(f"{lab.name}  {lab.claim}  [")
    assert lines[-1] == "Run one: netwise lab NAME"
    documents = json.loads(run("lab", "--json").stdout)
    assert [each["name"] for each in documents] == [lab.name for lab in nw.LABS]


def test_labs_are_found_by_words_and_varied() -> None:
    found = run("lab", "hopfield").stdout
    assert "L18  " in found
    assert "L01  " not in found
    assert run("lab", "振荡").stdout.startswith("L11  ")  # the only one, which takes minutes
    assert "Changed: rate = 0.3. The criteria" in run("lab", "L01", "--set", "rate=0.3").stdout
    changed = run("lab", "L01", "--set", "rate=0.3", "--json")
    assert json.loads(changed.stdout)["settings"]["rate"] == 0.3
    for words, message in (
        (("lab", "L01", "--set", "rat=1"), "Did you mean `rate`?"),
        (("lab", "L01", "--set", "rate=0"), "must be above 0"),
        (("lab", "L01", "--set", "rate=1", "--record"), "Write --set without --all and --record"),
        (("lab", "L580"), "L58"),
    ):
        wrong = run(*words)
        assert wrong.exit_code == 2
        assert message in wrong.stderr


def test_a_recorded_result_is_shown_without_the_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    def runs(*args: object, **changes: object) -> None:
        raise AssertionError("the experiment ran")

    monkeypatch.setattr("netwise.labs.lab_definition.Lab.run", runs)
    shown = run("lab", "L25", "--recorded")
    assert "L25: confirmed." in shown.stdout
    assert "Recorded on 20" in shown.stdout
    assert "Changed:" not in shown.stdout
    page = Path("labs/L25.html").read_text("utf-8")
    assert "Recorded on 20" in page
    assert "<svg" in page
    assert "other settings" not in page
    document = json.loads(run("lab", "L01", "--recorded", "--json").stdout)  # has `stops`
    assert {"date", "versions", "verdict", "page"} <= set(document)
    assert "--recorded runs nothing" in run("lab", "L01", "--recorded", "--record").stderr


def test_a_page_that_cannot_be_written_loses_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").touch()
    refused = run("lab", "L02", "--output", "file/pages")
    assert (refused.exit_code, refused.stdout) == (2, "")  # before the experiment

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("netwise.labs.lab_page.write_lab", full)
    lost = run("lab", "L02")
    assert lost.exit_code == 4
    assert "L02: partly confirmed." in lost.stdout
    run("lab", "L01", "--set", "rate=0", "--output", "empty")
    assert not Path("empty").exists()
