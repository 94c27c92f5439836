"""Published numbers: each has a source, a recorded measurement, and a state that follows."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from netwise.cli import main
from netwise.labs.catalogue import lab_texts
from netwise.labs.published import (
    MISSED,
    NOT_RUN,
    REACHED,
    Measurement,
    PublishedNumber,
    measurement,
    plain_number,
    published_numbers,
    state_of,
)

NUMBERS = published_numbers()
NAMES = list(NUMBERS)


@pytest.mark.parametrize("name", NAMES)
def test_a_number_has_a_source_and_a_measurement(name: str) -> None:
    number = NUMBERS[name]
    assert re.search(r"\b(19|20)\d\d\b|PyDeep|yell", number.published)
    assert number.better in {"higher", "lower"}
    measured = measurement(number)
    if measured is None:
        assert state_of(number, None) == NOT_RUN
        return
    assert measured.low <= measured.value <= measured.high
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", measured.date)
    assert "torch" in measured.versions
    lab = number.run.partition(": ")[0]
    assert lab in lab_texts() or measured.recipes


MEASURED = Measurement(0.8, 0.7, 0.9, 3, 10.0, ("hash",), "2026-01-01", {}, "", "")
NUMBER = PublishedNumber("n", "error, %", 0.8, "lower", "1 (A 1998)", "0.9", "")


@pytest.mark.parametrize(
    ("better", "mean", "state"),
    [
        ("lower", 0.8, REACHED),
        ("lower", 0.81, MISSED),
        ("higher", 0.8, REACHED),
        ("higher", 0.79, MISSED),
    ],
)
def test_a_number_is_reached_where_the_mean_is_as_good(
    better: str, mean: float, state: str
) -> None:
    assert state_of(replace(NUMBER, better=better), replace(MEASURED, value=mean)) == state


def test_plain_values_have_what_was_measured_and_how() -> None:
    row = plain_number(NUMBERS["nielsen-50000"])
    assert row["netwise"]["seeds"] == 10
    assert row["netwise"]["command"] == "netwise lab L05"
    assert "netwise" not in plain_number(NUMBER)


def test_a_published_single_run_has_its_place_among_the_seeds() -> None:
    places = {name: measured.place for name in NAMES if (measured := measurement(NUMBERS[name]))}
    assert places["nielsen-50000"] == (
        "4 of 10 seeds are at or below the published run, which is 0.5 standard deviations below "
        "their mean"
    )
    assert places["nielsen-50000-l2"].startswith("10 of 10 seeds")
    assert places["lenet5"] == ""


def test_the_command_prints_a_table_one_number_or_json() -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(main, ["published", *words])
        assert result.exit_code == 0, result.output
        return result.output

    table = run()
    assert [line.split()[0] for line in table.splitlines()[1:-1]] == NAMES
    assert re.match(rf"\d+ of {len(NAMES)} reached", table.splitlines()[-1])
    assert re.search(r"2026-\d\d-\d\d +reached", table)
    assert "its place:  10 of 10 seeds" in run("nielsen-50000-l2")
    one = run("LeNet5")
    assert "published:  0.95 (LeCun et al. 1998)" in one
    assert "run it:     scripts/recipes" in one
    assert [row["name"] for row in json.loads(run("--json"))] == NAMES


def test_an_unknown_number_is_an_error_with_the_nearest_one() -> None:
    result = CliRunner().invoke(main, ["published", "lenet"])
    assert result.exit_code == 2
    assert "lenet5" in result.output
