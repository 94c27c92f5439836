"""Runs of labs are whole, and a signal that is missing is an error that says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

import netwise as nw
from netwise.history import INTERRUPTED
from netwise.labs import runs
from netwise.labs.runs import CHANCE, final_accuracy, signal_values, train_whole
from netwise.signals import GRADIENT_RMS, LOSS, VALID_ACCURACY


def test_a_whole_run_equals_fit(small: nw.Recipe) -> None:
    run = train_whole(small, watch_every=1)
    expected = nw.fit(small, watch_every=1)
    assert signal_values(run, LOSS) == signal_values(expected, LOSS)
    assert final_accuracy(run) == signal_values(expected, VALID_ACCURACY)[-1]
    assert len(signal_values(run, GRADIENT_RMS, "layer1")) > small.epochs


def test_an_interrupted_run_is_no_result(small: nw.Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    run = nw.fit(small)
    history = replace(run.history, ended=replace(run.history.ended, how=INTERRUPTED))
    monkeypatch.setattr(runs, "fit", lambda recipe, **options: replace(run, history=history))
    with pytest.raises(KeyboardInterrupt):
        train_whole(small)


def test_a_missing_signal_is_named_with_what_to_do(small: nw.Recipe) -> None:
    run = nw.fit(small, watch_every=0)
    with pytest.raises(LookupError) as error:
        signal_values(run, GRADIENT_RMS, "layer1")
    assert str(error.value) == (
        f"the run of recipe {small.hash} recorded no 'gradient.rms' of layer1, which this lab "
        "reads. Use a recipe with a validation part for accuracies, or pass watch_every=1 for "
        "signals of layers."
    )


def test_a_run_without_accuracy_counts_as_guessing(small: nw.Recipe) -> None:
    run = nw.fit(small.but(data=nw.data.iris(valid=0.0)))
    assert final_accuracy(run) == CHANCE
