"""The training loop ends where it is asked to, and checks and checkpoints change no number."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import netwise as nw
from netwise.training import loop
from netwise.training.loop import Stopwatch


def test_halt_interrupts_after_an_epoch_and_resume_continues(
    small: nw.Recipe, tmp_path: Path
) -> None:
    whole = nw.fit(small)
    calls: list[tuple[int, float]] = []

    def halt(epoch: int, row: object) -> str | None:
        calls.append((epoch, row["train.loss"]))  # type: ignore[index]
        return "enough for today" if epoch == 2 else None

    run = nw.fit(small, folder=tmp_path / "run", halt=halt)
    assert run.history.ended.how == "interrupted"
    assert "after epoch 2 of 4: enough for today" in run.history.ended.sentence
    assert [epoch for epoch, _ in calls] == [1, 2]
    assert run.score is None
    resumed = nw.resume(tmp_path / "run")
    assert resumed.history.series == whole.history.series
    for one, other in zip(resumed.module.parameters(), whole.module.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_reason_to_halt_after_the_last_epoch_changes_nothing(small: nw.Recipe) -> None:
    assert nw.fit(small, halt=lambda epoch, row: "late").history.ended.how in (
        "finished",
        "interrupted",
    )
    last = small.but(epochs=1)
    assert nw.fit(last, halt=lambda epoch, row: "late").history.ended.how == "finished"


@pytest.mark.parametrize("every", [1, 3, 1000])
def test_how_often_values_are_checked_changes_no_number(
    small: nw.Recipe, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    expected = nw.fit(small).history.series
    monkeypatch.setattr(loop, "CHECK_EVERY", every)
    assert nw.fit(small).history.series == expected


def test_checkpoints_are_at_the_steps_asked_for(small: nw.Recipe, tmp_path: Path) -> None:
    class Steps(nw.Silent):
        def __init__(self) -> None:
            self.names: set[str] = set()

        def step(self, done: int) -> None:
            home = tmp_path / "run" / "checkpoints"
            self.names |= {path.name for path in home.glob("step-*")}

    steps = Steps()
    nw.fit(
        small.but(epochs=1, batch_size=10),
        folder=tmp_path / "run",
        checkpoint_every=3,
        progress=steps,
    )
    assert {"step-000000003", "step-000000006"} <= steps.names


def test_a_stopwatch_measures_each_lap(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 12.0, 15.0])
    monkeypatch.setattr(loop.time, "monotonic", lambda: next(times))
    stopwatch = Stopwatch()
    assert (stopwatch.lap(), stopwatch.lap()) == (2.0, 3.0)


def test_the_module_is_left_in_evaluation_mode_without_hooks(small: nw.Recipe) -> None:
    run = nw.fit(small.but(penalty=nw.ActivityPenalty(strength=0.001)), watch_every=1)
    assert not any(layer.training for layer in run.module.modules())
    assert not any(layer._forward_hooks for layer in run.module.modules())
