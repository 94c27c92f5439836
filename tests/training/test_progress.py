"""Many runs tell of themselves to who watches."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import netwise as nw
from netwise.training import progress_files as noting

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=400
)


@pytest.mark.parametrize("jobs", [1, 2])
def test_runs_at_work_are_told_and_then_their_number(
    jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noting, "POLL_SECONDS", 0.02)
    words: list[str] = []
    seen: dict[str, nw.RunProgress] = {}

    def watcher(said: str, runs: Sequence[nw.RunProgress]) -> None:
        words.append(said)
        seen.update({run.name: run for run in runs})

    with nw.monitor_runs(watcher):
        runs = nw.fit_many([RECIPE, RECIPE.but(seed=1, optimizer=nw.SGD(lr=0.2))], jobs=jobs)
    assert words[-1] == "2 of 2 runs ended"
    other = seen["run 2 of 2"]
    assert other.about == "optimizer.lr = 0.2, seed = 1"
    assert 0 <= other.epoch <= other.epochs == 400
    assert other.value is None or other.value in runs[1].history.of("valid.accuracy").values  # type: ignore[union-attr]
    alone = nw.fit_many([RECIPE], jobs=1)[0]  # to be watched changes no number
    assert alone.history.of("train.loss").values == runs[0].history.of("train.loss").values  # type: ignore[union-attr]


def test_nobody_is_told_outside(capsys: pytest.CaptureFixture[str]) -> None:
    with nw.show_progress() as say:
        say("a line")
        nw.cross_validate(RECIPE.but(epochs=1), folds=2, jobs=1)
    assert capsys.readouterr().err == "a line\n"  # no terminal: no table
