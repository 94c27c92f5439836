"""Searches over networks that are code of the user's own: in a script of his, over its processes,
and again after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import netwise as nw
from netwise.cli import main
from netwise.searches.study import StudyFolder

pytestmark = pytest.mark.usefixtures("processes_without_coverage")
SCRIPT = """
import sys
import torch
import netwise as nw

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inside, self.outside = torch.nn.Linear(4, 16), torch.nn.Linear(16, 3)

    def forward(self, x):
        return self.outside(torch.tanh(self.inside(x)))

if __name__ == "__main__":
    network, epochs = nw.CustomNetwork(Net), int(sys.argv[2])
    recipe = nw.Recipe(
        data=nw.data.iris(), network=network, optimizer=nw.SGD(), epochs=epochs
    )
    kind = nw.axes.Choice("optimizer.kind", ("SGD", "Adam"))
    space = nw.Space((nw.axes.Log("optimizer.lr", 1e-3, 1.0), kind))
    if len(sys.argv) > 3:
        found = nw.resume_search(sys.argv[1], network=network, jobs=2)
    else:
        options = {"method": nw.Random(), "trials": 4, "fresh": 2, "jobs": 2}
        found = nw.search(recipe, space, folder=sys.argv[1], **options)
    best = found.recipe.but(network=network, epochs=1)
    crossed = nw.cross_validate(best, folds=2, jobs=2)
    print([t.state for t in found.trials], len(found.fresh_values), crossed.losses[0] < 2)
"""


def run(folder: Path, *words: str) -> subprocess.Popen[str]:
    (folder / "mine.py").write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, "mine.py", "study", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_network_in_the_users_script_is_searched_by_all_processes(tmp_path: Path) -> None:
    out, err = run(tmp_path, "3").communicate(timeout=120)
    assert out.strip() == "['complete', 'complete', 'complete', 'complete'] 2 True", err[-2000:]


def test_after_a_kill_the_network_is_passed_again(tmp_path: Path) -> None:
    long = run(tmp_path, "100")
    deadline = time.monotonic() + 60
    while not list((tmp_path / "study").glob("trials/*/run/checkpoints/*")):
        assert time.monotonic() < deadline
        assert long.poll() is None, long.communicate()[1][-2000:]
        time.sleep(0.05)
    os.killpg(long.pid, signal.SIGKILL)
    long.communicate()
    with pytest.raises(nw.RunFolderError, match="loading imports no code"):
        nw.resume_search(tmp_path / "study")
    assert (
        "If you trust it, add --trust-own"
        in CliRunner().invoke(main, ["search", "--resume", str(tmp_path / "study")]).output
    )
    assert not nw.load_search(tmp_path / "study").complete  # reading needs no code
    out, err = run(tmp_path, "100", "resume").communicate(timeout=120)
    assert out.strip() == "['complete', 'complete', 'complete', 'complete'] 2 True", err[-2000:]


def test_a_space_that_changes_another_part_leaves_the_network_as_it_is() -> None:
    recipe = nw.Recipe(data=nw.data.iris(), network=nw.CustomNetwork(small), optimizer=nw.SGD())
    changed = nw.Space((nw.axes.Choice("optimizer.kind", ("SGD", "Adam")),)).apply(
        recipe, {"optimizer.kind": "Adam"}
    )
    assert changed.network is recipe.network


def small() -> object:
    import torch

    return torch.nn.Linear(4, 3)


def test_axes_in_a_file_name_no_code_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "foreign.py").write_text(
        "open('it_ran', 'w').close()\nimport torch\n\n"
        "def build():\n    return torch.nn.Linear(4, 3)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    recipe = nw.Recipe(
        data=nw.data.iris(), network=nw.CustomNetwork(small), optimizer=nw.SGD(), epochs=1
    )
    space = nw.Space((nw.axes.Choice("network.source", ("foreign:build", "foreign:build2")),))
    StudyFolder.create(
        Path("study"), recipe, nw.SearchPlan(space=space, method=nw.Grid(), trials=2, fresh=0)
    )
    with pytest.raises(nw.RunFolderError, match="foreign:build.* reading a folder runs no code"):
        nw.resume_search("study", network=nw.CustomNetwork(small), jobs=1)
    assert not Path("it_ran").exists()
    mine = nw.search(
        recipe, space, method=nw.Grid(), fresh=0, folder="mine", jobs=1
    )  # named by the caller
    assert [t.state for t in mine.trials] == ["complete", "failed"]
    assert Path("it_ran").exists()


DEADLY = """
import os, signal, sys
import torch
import netwise as nw

def build():
    return torch.nn.Linear(4, 3)

def deadly():
    os.kill(os.getpid(), signal.SIGKILL)  # as the system does without free memory

if __name__ == "__main__":
    network = nw.CustomNetwork(build)
    recipe = nw.Recipe(data=nw.data.iris(), network=network, optimizer=nw.SGD(), epochs=2)

    def change(recipe, word):
        if word == "bad":
            return recipe.but(network=nw.CustomNetwork(deadly))
        return recipe.but(seed=len(word))

    axis = nw.axes.Choice("network", ("good", "bad", "fine"), change=change)
    found = nw.search(recipe, nw.Space((axis,)), method=nw.Grid(), fresh=1, folder="study", jobs=2)
    print([(t.point["network"], t.state) for t in found.trials], len(found.fresh_values))
    print(found.trials[1].reason)
"""


def test_a_trial_that_kills_its_worker_is_given_up_and_the_others_continue(tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text(DEADLY)
    done = subprocess.run(
        [sys.executable, "deadly.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.stdout.startswith(
        "[('good', 'complete'), ('bad', 'failed'), ('fine', 'complete')] 1\n"
    ), done.stdout + done.stderr[-2000:]
    assert "its worker was killed 3 times" in done.stdout
