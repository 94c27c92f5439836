"""A guess is a run of its own; its entry has what changed since the last one."""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.exceptions import ConvergenceWarning

import netwise as nw
from netwise.searches.trial_run import accuracy_interval

RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=2)


def test_an_entry_has_the_value_of_its_run_and_what_changed(tmp_path: Path) -> None:
    first = nw.log_guess(tmp_path, RECIPE, "a first look")
    second = nw.log_guess(tmp_path, nw.with_learning_rate(RECIPE, 0.1).but(epochs=3), " slow ")
    assert (first.number, second.number) == (1, 2)
    assert first.changed == ()
    assert set(second.changed) == {"optimizer.lr: 0.001 -> 0.1", "epochs: 2 -> 3"}
    assert second.reason == "slow"
    run = nw.load(second.folder)
    assert run.score is None  # the test part was not used
    assert second.value == run.history.of("valid.accuracy").last
    assert (second.low, second.high) == accuracy_interval(run.history, second.value)
    assert nw.read_guesses(tmp_path) == [first, second]


def test_a_diverged_guess_has_no_interval(tmp_path: Path) -> None:
    wild = RECIPE.but(optimizer=nw.SGD(lr=1e30))
    with pytest.warns(ConvergenceWarning, match=r"guess 1: Diverged at step .* value is that of"):
        entry = nw.log_guess(tmp_path, wild, "how far it goes")
    assert (entry.low, entry.high) == (None, None)
    assert entry.ended.startswith("Diverged")


def test_a_guess_needs_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="reason is empty: .* Write why you try this"):
        nw.log_guess(tmp_path, RECIPE, "  ")
    assert not list(tmp_path.iterdir())


def test_a_guess_that_was_interrupted_blocks_no_later_one(tmp_path: Path) -> None:
    nw.log_guess(tmp_path, RECIPE, "a first look")
    (tmp_path / "guesses" / "002" / "run").mkdir(parents=True)
    (tmp_path / "guesses" / "002" / "run" / "recipe.toml").touch()
    entry = nw.log_guess(tmp_path, RECIPE, "again")
    assert entry.number == 3
    assert [each.number for each in nw.read_guesses(tmp_path)] == [1, 3]
