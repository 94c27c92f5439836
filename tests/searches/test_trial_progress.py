"""Progress of trials while they run, read from their folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import netwise as nw
from netwise.searches.plan import SearchPlan
from netwise.searches.study import StudyFolder
from netwise.searches.trial_progress import report_trials, running_trials

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=6
)
SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0),))


def _until(epochs: int) -> object:
    return lambda epoch, row: "enough" if epoch == epochs else None


def test_a_running_trial_has_its_epoch_and_value(tmp_path: Path) -> None:
    study = StudyFolder.create(
        tmp_path / "s", RECIPE, SearchPlan(space=SPACE, method=nw.Random(), trials=2)
    )
    taken = study.claim(0, study.stage(0))
    assert taken is not None
    trial = study.trials()[0]
    assert trial.state == "running"
    assert running_trials(study, [trial]) == [
        nw.RunProgress("trial 0", about=trial.point_text)
    ]  # nothing written yet
    run = nw.fit(study.recipe_of(trial), folder=study.folder(0) / "run", halt=_until(4))
    seen = running_trials(study, [trial])[0]
    assert (seen.name, seen.epoch, seen.epochs) == ("trial 0", 4, 6)
    assert seen.value == run.history.of("valid.accuracy").last
    taken[1].release()
    assert running_trials(study, study.trials()) == []  # no worker holds it


def test_of_several_folds_the_newest_is_shown(tmp_path: Path) -> None:
    study = StudyFolder.create(
        tmp_path / "s", RECIPE, SearchPlan(space=SPACE, method=nw.Random(), trials=1, folds=2)
    )
    taken = study.claim(0, study.stage(0))
    assert taken is not None
    for number, epochs in enumerate((6, 2)):
        nw.fit(RECIPE, folder=study.folder(0) / f"fold-0-{number}", halt=_until(epochs))
    seen = running_trials(study, study.trials())[0]
    assert (seen.name, seen.epoch) == ("trial 0, fold-0-1", 2)
    taken[1].release()


def test_each_end_is_reported_once_and_the_monitor_is_updated(tmp_path: Path) -> None:
    ended: list[int] = []
    words: list[str] = []
    with nw.monitor_runs(lambda text, runs: words.append(text)):
        found = nw.search(
            RECIPE,
            SPACE,
            method=nw.Random(),
            trials=3,
            fresh=0,
            folder=tmp_path / "s",
            jobs=1,
            on_trial_end=lambda trial: ended.append(trial.number),
        )
    assert sorted(ended) == [0, 1, 2]
    assert found.best is not None
    assert words[-1] == f"3 trials ended, best {found.best.value:.4f} (trial {found.best.number})"
    with report_trials(StudyFolder.open(found.folder), lambda trial: ended.append(trial.number)):
        pass
    assert len(ended) == 3


def test_fresh_runs_of_the_winner_are_monitored(tmp_path: Path) -> None:
    long = RECIPE.but(epochs=300)
    seen: set[str] = set()

    def watcher(words: str, runs: Sequence[nw.RunProgress]) -> None:
        seen.update(run.name for run in runs)

    with nw.monitor_runs(watcher):
        nw.search(long, SPACE, method=nw.Random(), trials=1, fresh=2, folder=tmp_path / "s", jobs=1)
    assert {"trial 0", "fresh 0", "fresh 1"} <= seen
