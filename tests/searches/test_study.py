"""The folder of a study: who may claim which trial, and what opening it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw
from netwise.searches.plan_file import write_plan
from netwise.searches.study import StudyFolder
from netwise.searches.supervise import MAX_CRASHES

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=2
)
SPACE = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))


def study(folder: Path, **settings: object) -> StudyFolder:
    plan = nw.SearchPlan(space=SPACE, **{"method": nw.Random(), "trials": 3, **settings})
    return StudyFolder.create(folder, RECIPE, plan)


def test_trials_are_claimed_once_and_those_of_a_dead_worker_again(tmp_path: Path) -> None:
    opened = study(tmp_path / "s")
    stage = opened.stage(0)
    claims = [opened.claim(0, stage) for _ in range(3)]
    assert [claim[0].number for claim in claims if claim] == [0, 1, 2]
    assert opened.claim(0, stage) is None
    assert {trial.state for trial in opened.trials()} == {"running"}
    assert claims[1] is not None
    claims[1][1].release()  # as the system does when its process dies
    assert [trial.state for trial in opened.trials()] == ["running", "waiting", "running"]
    again = opened.claim(0, stage)
    assert again is not None
    assert again[0].number == 1
    assert again[0].params == claims[1][0].params
    for claim in (claims[0], again, claims[2]):
        assert claim is not None
        claim[1].release()


def test_a_queue_is_stored_once(tmp_path: Path) -> None:
    opened = study(tmp_path / "s", method=nw.Grid(3))
    stage = opened.stage(0)
    for _ in range(2):
        opened.enqueue(opened.optuna_study, 0, stage)
    points = [trial.point["optimizer.lr"] for trial in opened.trials()]
    assert points == pytest.approx([1e-4, 1e-2, 1.0])


def test_crashes_are_counted_until_the_trial_makes_progress(tmp_path: Path) -> None:
    opened = study(tmp_path / "s")
    opened.folder(0).mkdir()
    assert [opened.may_retry(0) for _ in range(MAX_CRASHES + 1)] == [True] * MAX_CRASHES + [False]
    (opened.folder(0) / "run" / "checkpoints" / "step-1").mkdir(parents=True)
    assert opened.may_retry(0)  # a new checkpoint
    assert [opened.may_retry(0) for _ in range(MAX_CRASHES)][-1] is False
    opened.reset_crashes(0)
    assert opened.may_retry(0)
    opened.reset_crashes(0)
    opened.reset_crashes(0)  # where nothing was counted


def test_a_trial_has_the_seed_and_the_weights_that_its_plan_says(tmp_path: Path) -> None:
    same, each = study(tmp_path / "a"), study(tmp_path / "b", seeds="each")
    record = nw.TrialRecord(5, 1, {"optimizer.lr": 0.3}, parent=2)
    recipe = same.recipe_of(record)
    assert recipe.seed == RECIPE.seed
    assert recipe.optimizer == nw.SGD(lr=0.3)
    assert recipe.init == nw.From(str((same.folder(2) / "run").resolve()))
    seeds = [each.recipe_of(nw.TrialRecord(n, 0, {})).seed for n in (0, 1, 0)]
    assert seeds[0] == seeds[2] != seeds[1]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "mine.txt").write_text("mine")
    with pytest.raises(nw.RunFolderError, match="exists already and holds something, .* --resume"):
        study(tmp_path / "s")
    with pytest.raises(nw.RunFolderError, match="is no study: .*netwise runs"):
        nw.resume_search(tmp_path / "nothing")


def test_a_storage_with_a_password_is_passed_again(tmp_path: Path) -> None:
    plan = nw.SearchPlan(space=SPACE)
    write_plan(plan, tmp_path / "search.toml", "postgresql://me:secret@host/base")
    (tmp_path / "recipe.toml").write_text(nw.recipe_text(RECIPE))
    with pytest.raises(nw.RunFolderError, match="passwords are not kept.* pass it: storage=URL"):
        StudyFolder.open(tmp_path)


def test_a_storage_that_a_file_names_is_not_opened(tmp_path: Path) -> None:
    """A folder of somebody else could name any file or host."""
    recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=1)
    space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
    plan = nw.SearchPlan(space=space, method=nw.Random(), trials=1, fresh=0)
    folder, database = tmp_path / "study", tmp_path / "elsewhere.db"
    url = f"sqlite:///{database}"
    StudyFolder.create(folder, recipe, plan, url)
    assert database.is_file()
    database.unlink()
    for read in (nw.load_search, nw.resume_search):
        with pytest.raises(nw.RunFolderError, match=r"no storage that a file names is opened"):
            read(folder)
    assert not database.exists()
    assert nw.load_search(folder, storage=url).trials == ()
    assert database.is_file()
