"""The log of settings tried by hand: what is written is what is read."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw
from netwise.scoring.metrics import METRICS, Metric
from netwise.searches.guess_log import guess_folder, guess_table, write_entry
from netwise.signals import SIGNALS


def entry(number: int, book: Path, **settings: object) -> nw.GuessEntry:
    fields = {
        "changed": ("optimizer.lr: 0.001 -> 0.1",),
        "reason": "the loss falls slowly",
        "value": 0.9,
        "low": 0.8,
        "high": 0.95,
        "ended": "All 3 epochs done.",
        "outcome": "",
        "folder": str(guess_folder(book, number) / "run"),
        **settings,
    }
    made = nw.GuessEntry(number, **fields)
    guess_folder(book, number).mkdir(parents=True)
    write_entry(book, made)
    return made


def test_entries_are_read_in_their_order(tmp_path: Path) -> None:
    made = [entry(number, tmp_path) for number in (2, 1, 10)]
    assert nw.read_guesses(tmp_path) == [made[1], made[0], made[2]]


def test_a_log_that_was_moved_finds_its_runs(tmp_path: Path) -> None:
    entry(1, tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    (read,) = nw.read_guesses(tmp_path / "b")
    assert read.folder == str(guess_folder(tmp_path / "b", 1) / "run")


def test_an_outcome_is_kept_and_the_rest_stays(tmp_path: Path) -> None:
    first, second = entry(1, tmp_path), entry(2, tmp_path)
    noted = nw.log_outcome(tmp_path, 2, "  a larger rate helps ")
    assert noted.outcome == "a larger rate helps"
    assert nw.read_guesses(tmp_path) == [first, noted]
    assert noted.reason == second.reason


def test_a_guess_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(nw.RunFolderError, match="has no guess 7. There is none yet"):
        nw.log_outcome(tmp_path, 7, "x")
    entry(1, tmp_path)
    entry(2, tmp_path)
    with pytest.raises(nw.RunFolderError, match="There are: 1, 2. Write netwise log"):
        nw.log_outcome(tmp_path, 7, "x")


def test_the_table_has_changes_intervals_and_outcomes(tmp_path: Path) -> None:
    lines = guess_table(
        [entry(1, tmp_path, low=None, high=None, changed=()), entry(2, tmp_path, outcome="helps")]
    )
    assert lines == [
        "  1  0.9000  because the loss falls slowly",
        "  2  0.9000 (0.8000 to 0.9500)  because the loss falls slowly",
        "       optimizer.lr: 0.001 -> 0.1",
        "       -> helps",
    ]


def test_a_loss_is_written_as_it_is_and_not_as_its_negative() -> None:
    entry = nw.GuessEntry(1, (), "a first look", -0.25, None, None, "Done.", "", "run", "log_loss")
    assert guess_table([entry]) == ["  1  0.2500 log_loss  because a first look"]


@pytest.mark.parametrize("metric", [m for m in METRICS if f"valid.{m.name}" in SIGNALS])
def test_what_is_a_loss_is_read_off_its_signal(metric: Metric) -> None:
    """Without the metrics themselves, which need numpy."""
    assert SIGNALS[f"valid.{metric.name}"].good == ("high" if metric.higher_is_better else "low")
