"""Without Optuna everything but searches works, and a search says how to install it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import netwise as nw
from netwise.searches.optuna_package import require_optuna

WITHOUT_OPTUNA = """
import sys
sys.modules["optuna"] = None  # importing it raises ImportError
import netwise as nw
import netwise.estimators, netwise.cli
recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 4, 3)), epochs=1)
run = nw.fit(recipe)
nw.diagnose(run)
nw.trial, nw.treat, nw.suggest  # their modules load
nw.cross_validate(recipe, folds=2, jobs=1)
space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
plan = nw.SearchPlan(space=space)
records = [nw.TrialRecord(i, 0, {"optimizer.lr": 0.1}, value=0.5) for i in range(9)]
calls = {
    "search": lambda: nw.search(recipe, space, folder="study", trials=1, jobs=1),
    "resume_search": lambda: nw.resume_search("study"),
    "load_search": lambda: nw.load_search("study"),
    "importance": lambda: nw.importance(space, records),
    "sampler": lambda: nw.Random().sampler(0),
}
for name, call in calls.items():
    try:
        call()
    except nw.NetwiseError as error:
        print(name, type(error).__name__, error)
"""


def test_all_but_searches_works_without_optuna(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_OPTUNA],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    message = (
        "MissingPackage a search needs Optuna, which is not installed. "
        "Install it: pip install 'netwise[search]'"
    )
    assert done.stdout.splitlines() == [
        f"{name} {message}"
        for name in ("search", "resume_search", "load_search", "importance", "sampler")
    ], done.stderr[-2000:]
    assert not (tmp_path / "study").exists()  # nothing was created for a search that cannot run


def test_an_installed_optuna_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    require_optuna()
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(nw.MissingPackage, match=r"pip install 'netwise\[search\]'") as caught:
        require_optuna()
    assert isinstance(caught.value, ImportError)
