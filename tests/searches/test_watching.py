"""What is told of trials while they run, read from their folders."""

from __future__ import annotations

import threading
from pathlib import Path

import netwise as nw
from netwise.searches.plan import Search
from netwise.searches.study import StudyFolder
from netwise.searches.watching import AtWork, at_work, telling

RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=6)
SPACE = nw.Space((nw.Log("optimizer.lr", 1e-3, 1.0),))


def test_a_trial_at_work_says_how_far_it_is(tmp_path: Path) -> None:
    study = StudyFolder.create(tmp_path / "s", RECIPE, Search(space=SPACE, method=nw.Random(), trials=2))
    taken = study.claim(0, study.stage(0))
    assert taken is not None
    trial = study.tried()[0]
    assert trial.state == "running"
    assert at_work(study, trial) == AtWork(trial)  # nothing written yet
    run = nw.fit(study.recipe_of(trial), folder=study.folder(0) / "run", halt=lambda epoch, row: "enough" if epoch == 4 else None)
    seen = at_work(study, trial)
    assert (seen.epoch, seen.epochs, seen.runs) == (4, 6, 1)
    assert seen.value == run.history.of("valid.accuracy").last  # type: ignore[union-attr]
    taken[1].close()
    assert study.tried()[0].state == "waiting"


def test_each_end_is_told_once_and_all_is_watched(tmp_path: Path) -> None:
    told: list[int] = []
    looks: list[int] = []
    heard = threading.Event()

    def watch(tried: object, working: object) -> None:
        looks.append(len(tried))  # type: ignore[arg-type]
        heard.set()

    found = nw.search(
        RECIPE, SPACE, method=nw.Random(), trials=3, fresh=0, folder=tmp_path / "s", jobs=1, told=lambda trial: told.append(trial.number), watch=watch
    )
    assert sorted(told) == [0, 1, 2]
    assert looks[-1] == 3
    known = {0, 1, 2}
    with telling(StudyFolder.open(found.folder), lambda trial: told.append(trial.number), known):
        pass
    assert len(told) == 3
