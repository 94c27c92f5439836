"""Runs of `fit` that a finding ends."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import netwise as nw
from histories import GUESS, LAYERS
from netwise import signals
from netwise.training.stop_on_finding import StopOnFinding


def test_a_cause_ends_a_run_of_fit_and_is_named() -> None:
    recipe = nw.gallery.sick["start_symmetric"].recipe
    whole = nw.fit(recipe, test=False)
    run = nw.fit(recipe, test=False, stop_on=("cause",))
    ended = run.history.ended
    assert ended.how == "interrupted"
    assert ended.step < whole.history.ended.step
    assert "(cause)" in ended.sentence
    assert ended.sentence.endswith("; everything is kept.")
    found = nw.diagnose(run).found
    assert any(f.title.lower() in ended.sentence.lower() for f in found), (ended, found)


def test_a_suspect_ends_a_run_only_where_it_is_asked_for() -> None:
    recipe = nw.gallery.sick["dead_relu"].recipe
    ended = nw.fit(recipe, test=False, stop_on=("suspect",)).history.ended
    assert "dead ReLU units (suspect)" in ended.sentence
    assert nw.fit(recipe, test=False, stop_on=("cause",)).history.ended.how == "finished"


def test_the_steps_until_then_are_those_of_a_run_that_goes_on() -> None:
    recipe = nw.gallery.sick["start_symmetric"].recipe
    whole = nw.fit(recipe, test=False).history.of(signals.LOSS)
    some = nw.fit(recipe, test=False, stop_on=("cause",)).history.of(signals.LOSS)
    assert whole is not None
    assert some is not None
    assert whole.values[: len(some)] == some.values


def test_a_healthy_run_goes_on_to_the_same_bits() -> None:
    recipe = next(iter(nw.gallery.healthy.values())).recipe
    plain, checked = (
        nw.fit(recipe, test=False, **options) for options in ({}, {"stop_on": ("suspect",)})
    )
    assert checked.history.ended == plain.history.ended
    pairs = zip(plain.module.parameters(), checked.module.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_an_interrupted_run_can_be_resumed(tmp_path: Path) -> None:
    recipe = nw.gallery.sick["start_symmetric"].recipe
    whole = nw.fit(recipe, test=False)
    nw.fit(recipe, folder=tmp_path / "run", test=False, stop_on=("cause",))
    resumed = nw.resume(tmp_path / "run")
    assert resumed.history.ended == whole.history.ended
    assert resumed.history.series == whole.history.series


@pytest.mark.parametrize("grades", ["cause", ("certain",)])
def test_another_word_than_a_grade_is_refused_before_training(grades: object) -> None:
    with pytest.raises(ValueError, match=r'must be a tuple of grades: .*Write \("cause",\)'):
        nw.fit(nw.suggest(nw.data.iris()), stop_on=grades)  # type: ignore[arg-type]


def test_checks_are_made_at_distances_that_grow() -> None:
    made = []

    def history() -> nw.History:
        made.append(1)
        losses = nw.Series(tuple(range(9)), (GUESS,) * 9)
        return nw.History({(signals.LOSS, ""): losses}, LAYERS)

    stop = StopOnFinding(("cause",))
    assert all(stop.reason(epoch, history) is None for epoch in range(1, 1001))
    assert len(made) < 30
    never = StopOnFinding(())
    assert never.reason(1, history) is None
