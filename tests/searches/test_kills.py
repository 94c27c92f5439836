"""Workers killed at any moment, again and again: no trial stays "running", none is counted twice,
and the numbers are those of an undisturbed search."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import netwise as nw
from netwise.searches.study import StudyFolder
from searches.kills import RECIPE, SPACE

KILLS = 20  # scripts/torture has hundreds


@pytest.mark.usefixtures("processes_without_coverage")
def test_kills_change_nothing(tmp_path: Path) -> None:
    script = Path(__file__).with_name("kills.py")
    done = subprocess.run(
        [sys.executable, script, str(tmp_path / "study"), str(KILLS)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert report["complete"]
    trials = report["trials"]
    assert [number for number, *_ in trials] == list(range(len(trials)))
    assert {state for _, state, *_ in trials} == {"complete"}
    undisturbed = nw.search(
        RECIPE,
        SPACE,
        method=nw.Random(),
        trials=len(trials),
        fresh=0,
        folder=tmp_path / "undisturbed",
        jobs=1,
    )
    assert [(t.number, t.value, t.point) for t in undisturbed.trials] == [
        (number, value, point) for number, _, value, point in trials
    ]
    for trial in undisturbed.trials:  # to the last bit: the histories too
        one, other = (
            nw.load_history(home / "trials" / f"{trial.number:04d}" / "run")
            for home in (tmp_path / "study", tmp_path / "undisturbed")
        )
        assert {key: series.values for key, series in one.series.items()} == {
            key: series.values for key, series in other.series.items()
        }
    assert not any(
        trial.state == "running" for trial in StudyFolder.open(tmp_path / "study").trials()
    )
