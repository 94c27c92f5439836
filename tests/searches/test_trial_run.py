"""Runs of a trial: started, resumed or read, with the numbers of an undisturbed run."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy.stats import binomtest

import netwise as nw
from netwise.searches.trial_run import RunStopped, accuracy_interval, run_trial, train_or_resume

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=4
)
SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))


def losses(history: nw.History) -> tuple[float, ...]:
    series = history.of("train.loss")
    assert series is not None
    return tuple(series.values)


def test_a_run_is_started_once_and_then_read(tmp_path: Path) -> None:
    first = train_or_resume(RECIPE, tmp_path / "run")
    changed = (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns
    again = train_or_resume(RECIPE, tmp_path / "run")
    assert losses(again) == losses(first) == losses(nw.fit(RECIPE).history)
    assert (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns == changed


def test_an_interrupted_run_is_resumed_to_the_same_numbers(tmp_path: Path) -> None:
    nw.fit(
        RECIPE, folder=tmp_path / "run", halt=lambda epoch, row: "enough" if epoch == 2 else None
    )
    resumed = train_or_resume(RECIPE, tmp_path / "run")
    assert losses(resumed) == losses(nw.fit(RECIPE).history)


def test_what_was_killed_before_its_first_step_is_trained_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.toml").write_text("")
    assert losses(train_or_resume(RECIPE, tmp_path / "run")) == losses(nw.fit(RECIPE).history)


def test_a_run_without_its_weights_is_damaged(tmp_path: Path) -> None:
    train_or_resume(RECIPE, tmp_path / "run")
    (tmp_path / "run" / "weights.safetensors").unlink()
    with pytest.raises(nw.RunFolderError, match="is damaged: .* Delete the folder, then resume"):
        train_or_resume(RECIPE, tmp_path / "run")


def test_a_stop_by_a_signal_stops_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = nw.fit(RECIPE, folder=tmp_path / "run", halt=lambda epoch, row: "signal")
    monkeypatch.setattr("netwise.searches.trial_run.resume", lambda *_, **__: run)
    with pytest.raises(RunStopped):
        train_or_resume(RECIPE, tmp_path / "run")


def test_the_value_over_folds_is_their_mean(tmp_path: Path) -> None:
    plan = nw.SearchPlan(space=SPACE, folds=3, repeats=2)
    outcome = run_trial(plan, RECIPE, tmp_path)
    crossed = nw.cross_validate(RECIPE, folds=3, repeats=2, jobs=1)
    assert outcome.value == pytest.approx(crossed.mean)
    assert outcome.attributes["low"] == pytest.approx(crossed.low)
    assert outcome.attributes["high"] == pytest.approx(crossed.high)
    assert outcome.attributes["epochs"] == 6 * RECIPE.epochs
    assert outcome.state == "complete"
    assert len(list(tmp_path.glob("fold-*-*"))) == 6


WILD = RECIPE.but(optimizer=nw.SGD(lr=1e30))


def test_a_run_that_diverges_fails_its_trial(tmp_path: Path) -> None:
    plan = nw.SearchPlan(space=SPACE, method=nw.Random())
    outcome = run_trial(plan, WILD, tmp_path)
    assert (outcome.state, outcome.value) == ("failed", None)
    assert outcome.attributes["reason"].startswith("Diverged at step")
    assert "value" not in outcome.attributes


def test_a_fold_that_diverges_fails_its_trial_before_the_others(tmp_path: Path) -> None:
    plan = nw.SearchPlan(space=SPACE, method=nw.Random(), folds=3)
    outcome = run_trial(plan, WILD, tmp_path)
    assert outcome.state == "failed"
    assert outcome.attributes["reason"].startswith("fold-0-0: Diverged at step")
    assert [path.name for path in tmp_path.iterdir()] == ["fold-0-0"]


def test_the_interval_of_an_accuracy_is_wilsons() -> None:
    history = nw.fit(RECIPE).history
    count = history.facts.valid_size
    for right in (0, count // 2, count):
        low, high = accuracy_interval(history, right / count)
        wilson = binomtest(right, count).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((wilson.low, wilson.high), abs=1e-6)
    numbers = nw.fit(
        nw.Recipe(
            data=nw.data.diabetes(), network=nw.MLP((10, 1)), loss=nw.MeanSquaredError(), epochs=1
        )
    )
    assert accuracy_interval(numbers.history, 0.5) == (None, None)
