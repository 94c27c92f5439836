"""Of several processes that want one new folder, one gets it; a creation that was cut off can be
done again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import netwise as nw
from netwise.cli import main
from netwise.searches.plan import SearchPlan
from netwise.searches.study import StudyFolder
from netwise.storage.creation import claim_folder, end_creation

SIX = """
import os, sys, netwise as nw
from netwise.recipe.prepared import prepare

recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
prepared, start, children = prepare(recipe), os.pipe(), []
for seed in range(6):
    children.append(os.fork())
    if children[-1] == 0:
        os.close(start[1])
        os.read(start[0], 1)  # until all are there
        try:
            nw.fit(recipe.but(seed=seed), folder=sys.argv[1], prepared=prepared)
            os.write(1, f"{seed} trained\\n".encode())
        except nw.RunFolderError as error:
            os.write(1, f"{seed} {error}\\n".encode())
        os._exit(0)
os.close(start[1])
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_six_fits_of_one_folder_end_with_one_run_and_five_errors(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", SIX, str(folder)], capture_output=True, text=True, check=True
    )
    answers = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    winners = [int(seed) for seed, answer in answers.items() if answer == "trained"]
    assert len(answers) == 6
    assert len(winners) == 1
    for answer in answers.values():
        if answer != "trained":
            assert answer.startswith(str(folder))
            assert "is being written by another" in answer or "exists already and holds" in answer
    run = nw.load(folder)
    assert run.recipe.seed == winners[0]
    assert run.history.series == nw.fit(run.recipe).history.series


def test_a_folder_is_claimed_once(tmp_path: Path) -> None:
    with (
        claim_folder(tmp_path / "run", ""),
        pytest.raises(nw.RunFolderError, match="is being written by another process"),
    ):
        claim_folder(tmp_path / "run", "")


def test_what_a_killed_creation_left_is_written_again(tmp_path: Path, small: nw.Recipe) -> None:
    folder = tmp_path / "run"
    with claim_folder(folder, ""):
        (folder / "about.json").write_text("{}")  # killed before recipe.toml
    assert nw.fit(small, folder=folder).history.ended.how == "finished"
    assert not (folder / ".draft").exists()
    with pytest.raises(nw.RunFolderError, match="exists already and holds something"):
        nw.fit(small, folder=folder)


@pytest.mark.parametrize("names", [["notes.txt"], [".lock", "data.safetensors"], [".git"]])
def test_files_of_the_user_are_not_taken_for_a_draft(
    tmp_path: Path, small: nw.Recipe, names: list[str]
) -> None:
    for name in names:
        (tmp_path / name).write_text("mine")
    with pytest.raises(nw.RunFolderError, match="exists already and holds something"):
        nw.fit(small, folder=tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        names, "mine"
    )


def test_a_run_whose_marker_was_not_deleted_is_a_run(tmp_path: Path, small: nw.Recipe) -> None:
    nw.fit(small, folder=tmp_path / "run")
    (tmp_path / "run" / ".draft").touch()  # killed between the recipe and the end of the creation
    with pytest.raises(nw.RunFolderError, match="exists already and holds something"):
        nw.fit(small, folder=tmp_path / "run")
    end_creation(tmp_path / "run")
    end_creation(tmp_path / "run")


def test_a_draft_is_no_run_and_says_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    claim_folder(folder, "").release()  # as if killed here
    message = r"has no recipe\.toml, because the process .* was killed .* start the run in it again"
    for read in (nw.load, nw.load_history, nw.resume):
        with pytest.raises(nw.RunFolderError, match=message):
            read(folder)
    result = CliRunner().invoke(main, ["train", "--resume", str(folder)])
    assert result.exit_code == 2
    assert "start the run in it again" in " ".join(result.output.split())
    assert nw.list_runs(tmp_path) == []


def test_a_search_is_created_by_one_process(tmp_path: Path, small: nw.Recipe) -> None:
    space = nw.Space((nw.axes.Log("optimizer.lr", 0.01, 0.1),))
    plan = SearchPlan(space=space, trials=1)
    with (
        claim_folder(tmp_path / "search", ""),
        pytest.raises(nw.RunFolderError, match="is being written by another process"),
    ):
        StudyFolder.create(tmp_path / "search", small, plan)
    (tmp_path / "search" / "search.toml").write_text("")  # killed before the recipe
    assert StudyFolder.create(tmp_path / "search", small, plan).plan == plan
    with pytest.raises(nw.RunFolderError, match="or resume the search in it"):
        StudyFolder.create(tmp_path / "search", small, plan)
